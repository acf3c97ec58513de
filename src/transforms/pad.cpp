// SpatialPad, BorderPad, DivisiblePad, ResizeWithPadOrCrop: images widened around their voxels. MONAI: the same names.
#include <algorithm>

#include "transforms/extents.h"
#include "transforms/padding.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// Grid positions of the output within the input's grid: [-before, shape + after), or inside where it is cropped.
struct Window {
  Shape begin, end;
};
using WindowRule = std::function<Window(const Shape& shape)>;

class PadTransform : public ImageTransform {
 public:
  PadTransform(std::string name, const Args& args, WindowRule rule)
      : name_(std::move(name)),
        mode_(pad_mode(args.get<std::string>("mode"), args[args.all().contains("kwargs") ? "kwargs" : "pad_kwargs"].as_dict())),
        rule_(std::move(rule)) {}
  std::string type_name() const override { return name_; }
  Image transform(const Image& image) const override {
    const Window w = rule_(spatial_shape(image));
    return pad_or_crop(image, w.begin, w.end, mode_, name_);
  }

 private:
  std::string name_;
  PadMode mode_;
  WindowRule rule_;
};

bool symmetric(const Args& args) {
  const auto method = args.get<std::string>("method");
  if (method != "symmetric" && method != "end") throw Error(ErrorKind::config, "method '" + method + "': symmetric or end wanted");
  return method == "symmetric";
}

/// Widened to `size`; never narrower.
Window widened(const Shape& shape, const Shape& size, bool symmetric) {
  Window w{Shape(shape.size(), 0), shape};
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t more = std::max<std::int64_t>(0, size[i] - shape[i]), before = symmetric ? more / 2 : 0;
    w.begin[i] = -before;
    w.end[i] = shape[i] + more - before;
  }
  return w;
}

/// Centre crop where larger, padding where smaller.
Window resized(const Shape& shape, const Shape& size, bool symmetric) {
  Window w = widened(shape, size, symmetric);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (size[i] >= shape[i]) continue;
    w.begin[i] = std::max<std::int64_t>(0, shape[i] / 2 - size[i] / 2);
    w.end[i] = w.begin[i] + size[i];
  }
  return w;
}

Window bordered(const Shape& shape, std::vector<std::int64_t> border) {
  for (auto& b : border) b = std::max<std::int64_t>(0, b);
  const std::size_t rank = shape.size();
  if (border.size() != 1 && border.size() != rank && border.size() != 2 * rank)
    throw Error(ErrorKind::config, "spatial_border has " + std::to_string(border.size()) + " entries; 1, " + std::to_string(rank) + " or " +
                                       std::to_string(2 * rank) + " wanted");
  Window w{Shape(rank), shape};
  for (std::size_t i = 0; i < rank; ++i) {
    const bool both = border.size() == 2 * rank;
    w.begin[i] = -(both ? border[2 * i] : border[border.size() == 1 ? 0 : i]);
    w.end[i] += both ? border[2 * i + 1] : border[border.size() == 1 ? 0 : i];
  }
  return w;
}

const Param kMode =
    optional("mode", "constant", "what to fill with: constant, edge, replicate, reflect, symmetric, wrap, circular, minimum, maximum or mean");
const Param kMethod = optional("method", "symmetric", "pad on both sides (symmetric) or after the last voxel (end)");
const Param kLazy = optional("lazy", false, "accepted; done at once");
const Param kRest{"kwargs", "value or constant_values: what constant fills with, 0 unless given", std::nullopt, true};
const Param kPadRest{"pad_kwargs", kRest.doc, std::nullopt, true};

const RegisterTransform spatial_pad({
    .name = "SpatialPad",
    .summary = "Pad to at least the given size",
    .params = {required("spatial_size", "extents wanted, one or one per axis; not positive keeps the image's own"), kMethod, kMode, kLazy, kRest},
    .per_key = {"mode"},
    .make =
        [](const Args& args) {
          return std::make_shared<PadTransform>("SpatialPad", args, [size = args["spatial_size"], both = symmetric(args)](const Shape& shape) {
            return widened(shape, extents_or(size, shape, "spatial_size"), both);
          });
        },
});

const RegisterTransform border_pad({
    .name = "BorderPad",
    .summary = "Pad by a number of voxels",
    .params = {required("spatial_border", "voxels for every side, or one number per axis, or two per axis (before, after)"), kMode, kLazy, kRest},
    .per_key = {"mode"},
    .make =
        [](const Args& args) {
          return std::make_shared<PadTransform>(
              "BorderPad", args,
              [border = args.get<std::vector<std::int64_t>>("spatial_border")](const Shape& shape) { return bordered(shape, border); });
        },
});

const RegisterTransform divisible_pad({
    .name = "DivisiblePad",
    .summary = "Pad until every extent is a multiple of k",
    .params = {required("k", "one number or one per axis; not positive keeps the extent"), kMode, kMethod, kLazy, kRest},
    .per_key = {"mode"},
    .make =
        [](const Args& args) {
          return std::make_shared<PadTransform>("DivisiblePad", args, [k = args["k"], both = symmetric(args)](const Shape& shape) {
            return widened(shape, divisible(shape, k), both);
          });
        },
});

const RegisterTransform resize_with_pad_or_crop({
    .name = "ResizeWithPadOrCrop",
    .summary = "Centre-crop or pad to the given size",
    .params = {required("spatial_size", "extents wanted, one or one per axis; not positive keeps the image's own"), kMethod, kMode, kLazy, kPadRest},
    .per_key = {"mode"},
    .make =
        [](const Args& args) {
          return std::make_shared<PadTransform>("ResizeWithPadOrCrop", args,
                                                [size = args["spatial_size"], both = symmetric(args)](const Shape& shape) {
                                                  return resized(shape, extents_or(size, shape, "spatial_size"), both);
                                                });
        },
});

}  // namespace
}  // namespace vesal::transforms
