// FillHoles (monai.transforms): what a label encloses becomes that label.
#include <set>

#include "transforms/components.h"
#include "transforms/label_map.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// Marks the components that touch no border of the grid.
std::vector<bool> enclosed(const Components& components, const Shape& shape) {
  std::vector<bool> inside(components.sizes.size(), true);
  const auto rank = static_cast<std::int64_t>(shape.size());
  for (const Run& run : components.runs) {
    bool border = run.begin == 0 || run.end == shape[rank - 1];
    for (std::int64_t rest = run.row, k = rank - 2; k >= 0; --k) {
      const std::int64_t at = rest % shape[k];
      border = border || at == 0 || at == shape[k] - 1;
      rest /= shape[k];
    }
    if (border) inside[run.component] = false;
  }
  return inside;
}

class FillHoles : public ImageTransform {
 public:
  explicit FillHoles(const Args& args) : connectivity_(args.get<std::optional<int>>("connectivity")) {
    if (args["applied_labels"].truthy()) labels_ = args.get<std::vector<std::int64_t>>("applied_labels");
  }
  std::string type_name() const override { return "FillHoles"; }
  Image transform(const Image& image) const override {
    const auto rank = static_cast<int>(spatial_shape(image).size());
    Array voxels = compact_labels(image).clone();
    const bool one_hot = voxels.size(0) > 1;
    std::set<std::int64_t> labels;
    if (labels_) labels.insert(labels_->begin(), labels_->end());
    else if (one_hot)
      for (std::int64_t c = 0; c < voxels.size(0); ++c) labels.insert(c);
    else labels = labels_in(voxels);
    labels.erase(0);
    for (const std::int64_t label : labels) {
      if (one_hot && (label < 0 || label >= voxels.size(0)))
        throw Error(ErrorKind::shape, "applied label " + std::to_string(label) + " of " + std::to_string(voxels.size(0)) + " channels");
      Array target = voxels.select(0, one_hot ? label : 0);
      const Array outside = one_hot ? map_voxels<std::uint8_t>(target, [](auto v) { return v == 0; })
                                    : map_voxels<std::uint8_t>(target, [&](auto v) { return v != static_cast<decltype(v)>(label); });
      const Components components = components_of(outside, connectivity_.value_or(rank));
      const auto holes = enclosed(components, outside.shape());
      fill_runs(target, components, holes, one_hot ? 1 : static_cast<double>(label));
    }
    return with_labels(image, std::move(voxels), image.dtype());
  }

 private:
  std::optional<std::vector<std::int64_t>> labels_;
  std::optional<int> connectivity_;
};

const RegisterTransform fill_holes({
    .name = "FillHoles",
    .summary = "What a label encloses becomes that label",
    .params = {optional("applied_labels", Value(), "labels to look at; all but 0 if none"),
               optional("connectivity", Value(), "of the holes: 1 by faces, 2 by edges too, ...; all neighbours if none")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<FillHoles>(args); },
});

}  // namespace
}  // namespace vesal::transforms
