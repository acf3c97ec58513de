// Flip, Rotate90: axes reversed and swapped; the voxels are shared. MONAI: Flip, Rotate90.
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

AxisMap unmoved(int rank) {
  AxisMap map{std::vector<int>(rank), std::vector<bool>(rank, false)};
  for (int i = 0; i < rank; ++i) map.from[i] = i;
  return map;
}

int axis_of(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    throw Error(ErrorKind::config, "spatial axis " + std::to_string(axis) + " of an image of " + std::to_string(rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

class Flip : public ImageTransform {
 public:
  explicit Flip(const Args& args) : axes_(args.get<std::optional<std::vector<std::int64_t>>>("spatial_axis")) {}
  std::string type_name() const override { return "Flip"; }
  Image transform(const Image& image) const override {
    const int rank = static_cast<int>(spatial_shape(image).size());
    AxisMap map = unmoved(rank);
    if (!axes_) map.flip.assign(rank, true);
    else
      for (const std::int64_t axis : *axes_) map.flip[axis_of(axis, rank)] = true;
    return rearrange(image, map, "Flip");
  }

 private:
  std::optional<std::vector<std::int64_t>> axes_;
};

class Rotate90 : public ImageTransform {
 public:
  explicit Rotate90(const Args& args)
      : turns_(static_cast<int>((args.get<std::int64_t>("k") % 4 + 4) % 4)), plane_(args.get<std::vector<std::int64_t>>("spatial_axes")) {
    if (plane_.size() != 2) throw Error(ErrorKind::config, "Rotate90: spatial_axes are two axes");
  }
  std::string type_name() const override { return "Rotate90"; }
  Image transform(const Image& image) const override {
    const int rank = static_cast<int>(spatial_shape(image).size()), a = axis_of(plane_[0], rank), b = axis_of(plane_[1], rank);
    if (a == b) throw Error(ErrorKind::config, "Rotate90: spatial_axes are two different axes");
    AxisMap map = unmoved(rank);
    if (turns_ % 2 == 1) std::swap(map.from[a], map.from[b]);
    // From the first axis towards the second, as numpy.rot90.
    map.flip[a] = turns_ == 1 || turns_ == 2;
    map.flip[b] = turns_ == 2 || turns_ == 3;
    return rearrange(image, map, "Rotate90");
  }

 private:
  int turns_;
  std::vector<std::int64_t> plane_;
};

const Param kLazy = optional("lazy", false, "accepted; the voxels are shared, never copied");

const RegisterTransform flip({
    .name = "Flip",
    .summary = "Reverse axes",
    .params = {optional("spatial_axis", Value(), "axis or axes to reverse; all if none"), kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<Flip>(args); },
});

const RegisterTransform rotate90({
    .name = "Rotate90",
    .summary = "Turn by a multiple of 90 degrees",
    .params = {optional("k", 1, "number of quarter turns"),
               optional("spatial_axes", Tuple{{0, 1}}, "the plane to turn in, from the first axis to the second"), kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<Rotate90>(args); },
});

}  // namespace
}  // namespace vesal::transforms
