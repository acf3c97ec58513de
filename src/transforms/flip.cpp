// Flip, Rotate90 and their random forms: axes reversed and swapped; the voxels are shared. MONAI: Flip, RandFlip, RandAxisFlip, Rotate90,
// RandRotate90.
#include "transforms/random_transform.h"
#include "transforms/spatial_step.h"

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

using Axes = std::optional<std::vector<std::int64_t>>;

/// All axes if none are named.
Image flipped(const Image& image, const Axes& axes, const std::string& name) {
  const int rank = static_cast<int>(spatial_shape(image).size());
  AxisMap map = unmoved(rank);
  if (!axes) map.flip.assign(rank, true);
  else
    for (const std::int64_t axis : *axes) map.flip[axis_of(axis, rank)] = true;
  return rearrange(image, map, name);
}

std::vector<std::int64_t> plane_argument(const Args& args) {
  auto plane = args.get<std::vector<std::int64_t>>("spatial_axes");
  if (plane.size() != 2) throw Error(ErrorKind::config, args.component() + ": spatial_axes are two axes");
  return plane;
}

/// By quarter turns in [0, 4), from the plane's first axis towards its second, as numpy.rot90.
Image turned(const Image& image, int turns, const std::vector<std::int64_t>& plane, const std::string& name) {
  const int rank = static_cast<int>(spatial_shape(image).size()), a = axis_of(plane[0], rank), b = axis_of(plane[1], rank);
  if (a == b) throw Error(ErrorKind::config, name + ": spatial_axes are two different axes");
  AxisMap map = unmoved(rank);
  if (turns % 2 == 1) std::swap(map.from[a], map.from[b]);
  map.flip[a] = turns == 1 || turns == 2;
  map.flip[b] = turns == 2 || turns == 3;
  return rearrange(image, map, name);
}

class Flip : public ImageTransform {
 public:
  explicit Flip(const Args& args) : axes_(args.get<Axes>("spatial_axis")) {}
  std::string type_name() const override { return "Flip"; }
  Image transform(const Image& image) const override { return flipped(image, axes_, type_name()); }

 private:
  Axes axes_;
};

class RandFlip : public RandomImageTransform {
 public:
  explicit RandFlip(const Args& args) : RandomImageTransform(args.get<double>("prob")), axes_(args.get<Axes>("spatial_axis")) {}
  std::string type_name() const override { return "RandFlip"; }

 protected:
  Image changed(const Image& image, Random&) const override { return flipped(image, axes_, type_name()); }

 private:
  Axes axes_;
};

class RandAxisFlip : public RandomImageTransform {
 public:
  using RandomImageTransform::RandomImageTransform;
  std::string type_name() const override { return "RandAxisFlip"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const auto rank = static_cast<std::int64_t>(spatial_shape(image).size());
    return flipped(image, std::vector{random.integer(0, rank)}, type_name());
  }
};

class Rotate90 : public ImageTransform {
 public:
  explicit Rotate90(const Args& args) : turns_(static_cast<int>((args.get<std::int64_t>("k") % 4 + 4) % 4)), plane_(plane_argument(args)) {}
  std::string type_name() const override { return "Rotate90"; }
  Image transform(const Image& image) const override { return turned(image, turns_, plane_, type_name()); }

 private:
  int turns_;
  std::vector<std::int64_t> plane_;
};

class RandRotate90 : public RandomImageTransform {
 public:
  explicit RandRotate90(const Args& args)
      : RandomImageTransform(args.get<double>("prob")), max_turns_(args.get<std::int64_t>("max_k")), plane_(plane_argument(args)) {
    if (max_turns_ < 1) throw Error(ErrorKind::config, "RandRotate90: max_k = " + std::to_string(max_turns_) + ", want at least 1");
  }
  std::string type_name() const override { return "RandRotate90"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    return turned(image, static_cast<int>(random.integer(1, max_turns_ + 1) % 4), plane_, type_name());
  }

 private:
  std::int64_t max_turns_;
  std::vector<std::int64_t> plane_;
};

const Param kLazy = optional("lazy", false, "accepted; the voxels are shared, never copied");

const Param kAxis = optional("spatial_axis", Value(), "axis or axes to reverse; all if none");
const Param kPlane = optional("spatial_axes", Tuple{{0, 1}}, "the plane to turn in, from the first axis to the second");

const RegisterTransform flip({
    .name = "Flip",
    .summary = "Reverse axes",
    .params = {kAxis, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<Flip>(args); },
});

const RegisterTransform rotate90({
    .name = "Rotate90",
    .summary = "Turn by a multiple of 90 degrees",
    .params = {optional("k", 1, "number of quarter turns"), kPlane, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<Rotate90>(args); },
});

const RegisterRandomTransform rand_flip({
    .name = "RandFlip",
    .summary = "Reverse axes at random",
    .params = {prob_param(), kAxis, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandFlip>(args); },
});

const RegisterRandomTransform rand_axis_flip({
    .name = "RandAxisFlip",
    .summary = "Reverse one axis drawn at random",
    .params = {prob_param(), kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandAxisFlip>(args.get<double>("prob")); },
});

const RegisterRandomTransform rand_rotate90({
    .name = "RandRotate90",
    .summary = "Turn by a random multiple of 90 degrees",
    .params = {prob_param(), optional("max_k", 3, "most quarter turns; from 1 on all are alike"), kPlane, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandRotate90>(args); },
});

}  // namespace
}  // namespace vesal::transforms
