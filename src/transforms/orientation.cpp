// Orientation: axes swapped and flipped so that they point where the axis codes say. MONAI: Orientation.
#include <algorithm>

#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

using Labels = std::vector<std::array<std::string, 2>>;

/// World axis and sign per output axis.
struct Direction {
  int axis, sign;
};

class Orientation : public ImageTransform {
 public:
  explicit Orientation(const Args& args) : closest_(args.get<bool>("as_closest_canonical")) {
    Labels labels{{"L", "R"}, {"P", "A"}, {"I", "S"}};
    if (!args.is_none("labels")) {
      labels.clear();
      for (const auto& pair : args.get<std::vector<std::vector<std::string>>>("labels")) {
        if (pair.size() != 2) throw Error(ErrorKind::config, "Orientation: labels are pairs, one per axis");
        labels.push_back({pair[0], pair[1]});
      }
    }
    if (closest_) return;
    if (args.is_none("axcodes")) throw Error(ErrorKind::config, "Orientation needs axcodes or as_closest_canonical");
    for (const std::string& code : letters(args["axcodes"])) wanted_.push_back(parse(code, labels));
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (wanted_[i].axis == wanted_[j].axis) throw Error(ErrorKind::config, "Orientation: axcodes name an axis twice");
  }
  std::string type_name() const override { return "Orientation"; }

  Image transform(const Image& image) const override {
    const Shape shape = spatial_shape(image);
    const int rank = static_cast<int>(shape.size());
    const int oriented = std::min(rank, 3);
    if (!closest_ && static_cast<int>(wanted_.size()) < rank)
      throw Error(ErrorKind::config, std::to_string(wanted_.size()) + " axcodes for an image of " + std::to_string(rank) + " spatial axes");
    const image::Orientation now = image::orientation_of(of_rank(image.affine, oriented));
    AxisMap map;
    for (int k = 0; k < oriented; ++k) {
      const Direction want = closest_ ? Direction{k, 1} : wanted_[k];
      const auto from = std::find(now.axis.begin(), now.axis.begin() + oriented, want.axis);
      if (from == now.axis.begin() + oriented) throw Error(ErrorKind::geometry, "the image has no axis along the world axis that axcodes name");
      map.from.push_back(static_cast<int>(from - now.axis.begin()));
      map.flip.push_back(now.sign[map.from.back()] != want.sign);
    }
    return rearrange(image, map, "Orientation");
  }

 private:
  static std::vector<std::string> letters(const Value& codes) {
    if (codes.is_sequence()) return cast<std::vector<std::string>>(codes);
    std::vector<std::string> out;
    for (const char c : codes.as_string()) out.emplace_back(1, c);
    return out;
  }
  static Direction parse(const std::string& code, const Labels& labels) {
    for (std::size_t axis = 0; axis < labels.size(); ++axis)
      for (int end = 0; end < 2; ++end)
        if (labels[axis][end] == code) return {static_cast<int>(axis), end ? 1 : -1};
    throw Error(ErrorKind::config, "Orientation: axcode '" + code + "' is none of the labels");
  }

  bool closest_;
  std::vector<Direction> wanted_;
};

const RegisterTransform registered({
    .name = "Orientation",
    .summary = "Swap and flip axes so that they point where the axis codes say, e.g. RAS",
    .params = {optional("axcodes", Value(), "one letter per axis for the direction it points to, e.g. 'RAS'"),
               optional("as_closest_canonical", false, "go to the nearest orientation to RAS; axcodes is ignored"),
               optional("labels", List{{List{{"L", "R"}}, List{{"P", "A"}}, List{{"I", "S"}}}},
                        "letters for the (negative, positive) end of each world axis"),
               optional("lazy", false, "accepted; the voxels are shared, never copied")},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<Orientation>(args); },
});

}  // namespace
}  // namespace vesal::transforms
