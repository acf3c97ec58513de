// ScaleIntensity and ScaleIntensityRange (monai.transforms), operation by operation as the peer rounds them.
#include "transforms/scale_intensity.h"

#include <cmath>

#include "base/log.h"
#include "kernels/intensity.h"
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

struct Target {
  std::optional<double> low, high, factor;
  std::optional<DType> type;
};

/// From its own extremes to [low, high], in place; integers without a dtype are the caller's.
void rescale(Array& values, const Target& target) {
  visit_working(values, [&](auto zero) {
    using T = decltype(zero);
    const auto e = extremes_of<T>(values);
    const T low = e.nan ? std::numeric_limits<T>::quiet_NaN() : e.low, high = e.nan ? low : e.high;
    const bool map = target.low && target.high;
    for_each_block<T>(values, [&](T* p, std::int64_t n) {
      if (low != high)
        return kernels::scale<T>(p, n, low, high - low, map, map ? static_cast<T>(*target.high - *target.low) : T{1},
                                 map ? static_cast<T>(*target.low) : T{});
      if (target.low)
        for (std::int64_t i = 0; i < n; ++i) p[i] *= static_cast<T>(*target.low);
    });
  });
}

class ScaleIntensity : public ImageTransform {
 public:
  ScaleIntensity(Target target, bool channel_wise) : target_(target), channel_wise_(channel_wise) {}
  std::string type_name() const override { return "ScaleIntensity"; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    const DType type = target_.type.value_or(voxels.dtype());
    // With an integer dtype the peer casts before it looks for the extremes.
    Array out = copy_as(target_.type && !is_floating(*target_.type) ? converted(voxels, *target_.type) : voxels,
                        working_type(target_.type.value_or(voxels.dtype())));
    if (!target_.low && !target_.high) {
      if (target_.factor) multiply(out, 1 + *target_.factor);
    } else if (channel_wise_) {
      for (std::int64_t c = 0; c < out.size(0); ++c) {
        Array channel = out.select(0, c);
        rescale(channel, target_);
      }
    } else {
      rescale(out, target_);
    }
    return image.with(converted(out, type));
  }

 private:
  static void multiply(Array& values, double by) {
    visit_working(values, [&](auto zero) {
      using T = decltype(zero);
      for_each_block<T>(values, [&](T* p, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) p[i] *= static_cast<T>(by);
      });
    });
  }
  Target target_;
  bool channel_wise_;
};

class ScaleIntensityRange : public ImageTransform {
 public:
  explicit ScaleIntensityRange(IntensityRange range) : range_(range) {
    if (range_.a_min == range_.a_max) log::warning("ScaleIntensityRange: a_min and a_max are both {}: nothing is divided", range_.a_min);
  }
  std::string type_name() const override { return "ScaleIntensityRange"; }
  Image transform(const Image& image) const override { return image.with(scale_range(image.array(), range_)); }

 private:
  IntensityRange range_;
};

const RegisterTransform scale_intensity({
    .name = "ScaleIntensity",
    .summary = "From the image's own smallest and largest value to [minv, maxv]",
    .params = {optional("minv", 0.0, "smallest value of the result"), optional("maxv", 1.0, "largest value of the result"),
               optional("factor", nullptr, "with minv and maxv None: multiply by 1 + factor"),
               optional("channel_wise", false, "every channel on its own"), dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<ScaleIntensity>(Target{args.get<std::optional<double>>("minv"), args.get<std::optional<double>>("maxv"),
                                                     args.get<std::optional<double>>("factor"), dtype_argument(args, "dtype")},
                                              args.get<bool>("channel_wise"));
    },
});

const RegisterTransform scale_intensity_range({
    .name = "ScaleIntensityRange",
    .summary = "From [a_min, a_max] to [b_min, b_max]",
    .params = {required("a_min", "start of the range in the image"), required("a_max", "end of the range in the image"),
               optional("b_min", nullptr, "what a_min becomes; None with b_max None: 0"),
               optional("b_max", nullptr, "what a_max becomes; None with b_min None: 1"), optional("clip", false, "clip to [b_min, b_max]"),
               dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<ScaleIntensityRange>(IntensityRange{args.get<double>("a_min"), args.get<double>("a_max"),
                                                                  args.get<std::optional<double>>("b_min"), args.get<std::optional<double>>("b_max"),
                                                                  args.get<bool>("clip"), dtype_argument(args, "dtype")});
    },
});

}  // namespace

Array scale_range(const Array& in, const IntensityRange& range) {
  Array out = copy_as(in, working_type(in.dtype()));
  const bool flat = range.a_max - range.a_min == 0;
  if (range.clip && !flat && !range.b_min && !range.b_max) throw Error(ErrorKind::config, "clip wants b_min or b_max");
  visit_working(out, [&](auto zero) {
    using T = decltype(zero);
    const T subtract = static_cast<T>(range.a_min), divide = static_cast<T>(range.a_max - range.a_min);
    const bool map = range.b_min && range.b_max;
    const T multiply = map ? static_cast<T>(*range.b_max - *range.b_min) : T{1}, add = map ? static_cast<T>(*range.b_min) : T{};
    const T low = range.b_min ? static_cast<T>(*range.b_min) : -INFINITY, high = range.b_max ? static_cast<T>(*range.b_max) : INFINITY;
    for_each_block<T>(out, [&](T* p, std::int64_t n) {
      if (flat) {
        for (std::int64_t i = 0; i < n; ++i) p[i] = p[i] - subtract + (range.b_min ? low : T{});
        return;
      }
      kernels::scale<T>(p, n, subtract, divide, map, multiply, add);
      if (range.clip) kernels::clamp<T>(p, n, low, high);
    });
  });
  return flat ? out : converted(out, range.type.value_or(in.dtype()));
}

}  // namespace vesal::transforms
