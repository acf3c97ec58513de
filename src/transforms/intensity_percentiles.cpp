// ScaleIntensityRangePercentiles and ClipIntensityPercentiles (monai.transforms): ranges taken from the image's own distribution.
#include <cmath>

#include "kernels/intensity.h"
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/percentile.h"
#include "transforms/scale_intensity.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

std::optional<double> percent_argument(const Args& args, const char* name) {
  const auto percent = args.get<std::optional<double>>(name);
  if (percent && !(*percent >= 0 && *percent <= 100)) throw Error(ErrorKind::config, args.component() + ": " + name + " is a percentage, 0 to 100");
  return percent;
}

/// work(array) of the whole array, or of each channel; the results put together.
template <class Work>
Array by_channel(const Array& voxels, bool channel_wise, Work&& work) {
  if (!channel_wise) return work(voxels);
  if (voxels.dim() == 0) throw Error(ErrorKind::shape, "channel_wise wants a channel axis");
  std::vector<Array> parts;
  for (std::int64_t c = 0; c < voxels.size(0); ++c) parts.push_back(work(voxels.select(0, c)));
  return parts.size() == 1 ? parts[0].unsqueeze(0) : stack(parts, 0);
}

class ScaleIntensityRangePercentiles : public ImageTransform {
 public:
  explicit ScaleIntensityRangePercentiles(const Args& args)
      : lower_(percent_argument(args, "lower").value()),
        upper_(percent_argument(args, "upper").value()),
        channel_wise_(args.get<bool>("channel_wise")) {
    range_ = {.b_min = args.get<std::optional<double>>("b_min"),
              .b_max = args.get<std::optional<double>>("b_max"),
              .clip = args.get<bool>("clip"),
              .type = dtype_argument(args, "dtype")};
    if (!args.get<bool>("relative")) return;
    if (!range_.b_min || !range_.b_max) throw Error(ErrorKind::config, args.component() + ": relative wants b_min and b_max");
    const double low = *range_.b_min, extent = *range_.b_max - low;
    range_.b_min = extent * (lower_ / 100) + low;
    range_.b_max = extent * (upper_ / 100) + low;
  }
  std::string type_name() const override { return "ScaleIntensityRangePercentiles"; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    const Array out = by_channel(voxels, channel_wise_, [&](const Array& part) {
      const auto ends = percentiles(part, {lower_, upper_});
      IntensityRange range = range_;
      range.a_min = static_cast<double>(ends[0]);
      range.a_max = static_cast<double>(ends[1]);
      return scale_range(part, range);
    });
    return image.with(converted(out, range_.type.value_or(voxels.dtype())));
  }

 private:
  double lower_, upper_;
  bool channel_wise_;
  IntensityRange range_;
};

/// log(1 + exp(x)) that does not overflow.
template <class T>
T softplus(T x) {
  return x > 20 ? x : std::log1p(std::exp(x));
}

class ClipIntensityPercentiles : public ImageTransform {
 public:
  explicit ClipIntensityPercentiles(const Args& args)
      : lower_(percent_argument(args, "lower")),
        upper_(percent_argument(args, "upper")),
        sharpness_(args.get<std::optional<double>>("sharpness_factor")),
        channel_wise_(args.get<bool>("channel_wise")),
        keep_values_(args.get<bool>("return_clipping_values")) {
    if (!lower_ && !upper_) throw Error(ErrorKind::config, args.component() + " wants lower or upper");
    if (lower_ && upper_ && *upper_ < *lower_) throw Error(ErrorKind::config, args.component() + ": upper is below lower");
    if (sharpness_ && !(*sharpness_ > 0)) throw Error(ErrorKind::config, args.component() + ": sharpness_factor must be positive");
  }
  std::string type_name() const override { return "ClipIntensityPercentiles"; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    List used;
    Array out = by_channel(voxels, channel_wise_, [&](const Array& part) {
      const auto ends = percentiles(part, {lower_.value_or(0), upper_.value_or(100)});
      used.items.emplace_back(Tuple{{lower_ || !sharpness_ ? Value(ends[0]) : Value(), upper_ || !sharpness_ ? Value(ends[1]) : Value()}});
      return clipped(part, ends[0], ends[1]);
    });
    Image result = image.with(converted(out, voxels.dtype()));
    if (keep_values_) result.meta["clipping_values"] = used;
    return result;
  }

 private:
  Array clipped(const Array& part, float low, float high) const {
    Array out = copy_as(part, working_type(part.dtype()));
    visit_working(out, [&](auto zero) {
      using T = decltype(zero);
      const T from = static_cast<T>(low), to = static_cast<T>(high);
      for_each_block<T>(out, [&](T* p, std::int64_t n) {
        if (!sharpness_) return kernels::clamp<T>(p, n, from, to);
        const T sharp = static_cast<T>(*sharpness_);
        for (std::int64_t i = 0; i < n; ++i) {
          const T x = p[i];
          if (lower_) p[i] += softplus(-sharp * (x - from)) / sharp;
          if (upper_) p[i] -= softplus(sharp * (x - to)) / sharp;
        }
      });
    });
    return out;
  }

  std::optional<double> lower_, upper_, sharpness_;
  bool channel_wise_, keep_values_;
};

const Param kChannelWise = optional("channel_wise", false, "every channel on its own");

const RegisterTransform scale({
    .name = "ScaleIntensityRangePercentiles",
    .summary = "From the image's own percentiles to [b_min, b_max]",
    .params = {required("lower", "percentile that becomes b_min"), required("upper", "percentile that becomes b_max"),
               required("b_min", "start of the result's range, or None"), required("b_max", "end of the result's range, or None"),
               optional("clip", false, "clip to the result's range"),
               optional("relative", false, "land on the same percentages of [b_min, b_max], not on its ends"), kChannelWise, dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ScaleIntensityRangePercentiles>(args); },
});

const RegisterTransform clip({
    .name = "ClipIntensityPercentiles",
    .summary = "Clip to the image's own percentiles",
    .params = {required("lower", "percentile to clip at, or None"), required("upper", "percentile to clip at, or None"),
               optional("sharpness_factor", Value(), "clip softly, the more sharply the larger this is"), kChannelWise,
               optional("return_clipping_values", false, "leave the values clipped at in the metadata as clipping_values"), dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ClipIntensityPercentiles>(args); },
});

}  // namespace
}  // namespace vesal::transforms
