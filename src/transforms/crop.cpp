// SpatialCrop, CenterSpatialCrop, CenterScaleCrop: a part of the image; the voxels are shared. MONAI: the same names.
#include <algorithm>
#include <cmath>

#include "transforms/extents.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

struct Range {
  Shape begin, end;
};
using RangeRule = std::function<Range(const Shape& shape)>;

/// Crops to what the rule says, as far as that lies inside the image.
class CropTransform : public ImageTransform {
 public:
  CropTransform(std::string name, RangeRule rule) : name_(std::move(name)), rule_(std::move(rule)) {}
  std::string type_name() const override { return name_; }
  Image transform(const Image& image) const override {
    const Shape shape = spatial_shape(image);
    Range r = rule_(shape);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      r.begin[i] = std::clamp<std::int64_t>(r.begin[i], 0, shape[i]);
      r.end[i] = std::clamp<std::int64_t>(r.end[i], r.begin[i], shape[i]);
    }
    return crop(image, r.begin, r.end, name_);
  }

 private:
  std::string name_;
  RangeRule rule_;
};

Range around(const Shape& center, const Shape& size) {
  Range r{center, size};
  for (std::size_t i = 0; i < center.size(); ++i) {
    r.begin[i] = std::max<std::int64_t>(0, center[i] - static_cast<std::int64_t>(std::floor(static_cast<double>(size[i]) / 2)));
    r.end[i] = r.begin[i] + std::max<std::int64_t>(0, size[i]);
  }
  return r;
}

Range centered(const Shape& shape, const Shape& size) {
  Shape center;
  for (const std::int64_t n : shape) center.push_back(n / 2);
  return around(center, size);
}

/// Axes that are not named are kept whole.
Shape filled_up(Shape given, const Shape& rest) {
  for (std::size_t i = given.size(); i < rest.size(); ++i) given.push_back(rest[i]);
  given.resize(rest.size());
  return given;
}

Shape integers(const Args& args, const std::string& name) {
  const Value& v = args[name];
  const std::size_t rank = v.is_array() ? static_cast<std::size_t>(v.as_array().numel()) : v.is_sequence() ? v.items().size() : 1;
  return per_axis(v, rank, name);
}

RangeRule spatial_rule(const Args& args) {
  if (!args.is_none("roi_slices")) throw Error(ErrorKind::unsupported, "SpatialCrop: roi_slices; give roi_start and roi_end");
  if (!args.is_none("roi_center") && !args.is_none("roi_size")) {
    const Range r = around(integers(args, "roi_center"), integers(args, "roi_size"));
    return [r](const Shape& shape) { return Range{filled_up(r.begin, Shape(shape.size(), 0)), filled_up(r.end, shape)}; };
  }
  if (args.is_none("roi_start") || args.is_none("roi_end"))
    throw Error(ErrorKind::config, "SpatialCrop wants roi_center and roi_size, or roi_start and roi_end");
  return [begin = integers(args, "roi_start"), end = integers(args, "roi_end")](const Shape& shape) {
    return Range{filled_up(begin, Shape(shape.size(), 0)), filled_up(end, shape)};
  };
}

Shape scaled(const Shape& shape, const std::vector<double>& scale) {
  if (scale.size() != 1 && scale.size() != shape.size())
    throw Error(ErrorKind::config,
                "roi_scale has " + std::to_string(scale.size()) + " entries for " + std::to_string(shape.size()) + " spatial axes");
  Shape size;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const double extent = std::ceil(scale[scale.size() == 1 ? 0 : i] * static_cast<double>(shape[i]));
    size.push_back(extent > 0 && extent < static_cast<double>(shape[i]) ? static_cast<std::int64_t>(extent) : shape[i]);
  }
  return size;
}

const Param kLazy = optional("lazy", false, "accepted; the voxels are shared, never copied");

const RegisterTransform spatial_crop({
    .name = "SpatialCrop",
    .summary = "Crop to a box given by centre and size or by its corners",
    .params = {optional("roi_center", Value(), "centre voxel of the box"), optional("roi_size", Value(), "extents of the box"),
               optional("roi_start", Value(), "first voxel of the box"), optional("roi_end", Value(), "one past the last voxel of the box"),
               optional("roi_slices", Value(), "refused; give roi_start and roi_end"), kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<CropTransform>("SpatialCrop", spatial_rule(args)); },
});

const RegisterTransform center_spatial_crop({
    .name = "CenterSpatialCrop",
    .summary = "Crop to a box of the given size in the middle",
    .params = {required("roi_size", "extents of the box, one or one per axis; not positive keeps the image's own"), kLazy},
    .per_key = {},
    .make =
        [](const Args& args) {
          return std::make_shared<CropTransform>(
              "CenterSpatialCrop", [size = args["roi_size"]](const Shape& shape) { return centered(shape, extents_or(size, shape, "roi_size")); });
        },
});

const RegisterTransform center_scale_crop({
    .name = "CenterScaleCrop",
    .summary = "Crop to a fraction of the size in the middle",
    .params = {required("roi_scale", "fraction of each extent, one or one per axis"), kLazy},
    .per_key = {},
    .make =
        [](const Args& args) {
          return std::make_shared<CropTransform>("CenterScaleCrop", [scale = args.get<std::vector<double>>("roi_scale")](const Shape& shape) {
            return centered(shape, scaled(shape, scale));
          });
        },
});

}  // namespace
}  // namespace vesal::transforms
