// ScaleIntensityFixedMean, RandScaleIntensityFixedMean: contrast about the image's mean. MONAI: the same names.
#include "transforms/arguments.h"
#include "transforms/factor_step.h"

namespace vesal::transforms {
namespace {

struct FixedMean {
  static constexpr const char* kName = "ScaleIntensityFixedMean";
  bool fixed_mean, preserve_range, channel_wise;
  std::optional<DType> type;
  explicit FixedMean(const Args& args)
      : fixed_mean(args.get<bool>("fixed_mean")),
        preserve_range(args.get<bool>("preserve_range")),
        channel_wise(args.all().contains("channel_wise") && args.get<bool>("channel_wise")),
        type(dtype_argument(args, "dtype")) {}

  Image apply(const Image& image, double factor) const {
    Array out = copy_as(image.array(), working_type(image.dtype()));
    if (!channel_wise) scale(out, factor);
    else
      for (std::int64_t c = 0; c < out.size(0); ++c) {
        Array channel = out.select(0, c);
        scale(channel, factor);
      }
    return image.with(converted(out, type.value_or(image.dtype())));
  }

 private:
  void scale(Array& values, double factor) const {
    if (values.numel() == 0) return;
    visit_working(values, [&](auto zero) {
      using T = decltype(zero);
      const auto e = preserve_range ? extremes_of<T>(values) : kernels::Extremes<T>{};
      const T mean = fixed_mean ? static_cast<T>(spread_of<T>(values, false, 0).mean) : T{}, by = static_cast<T>(1 + factor);
      for_each_block<T>(values, [&](T* p, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) p[i] = (p[i] - mean) * by + mean;
        if (preserve_range) kernels::clamp(p, n, e.low, e.high);
      });
    });
  }
};

const Param kFixedMean = optional("fixed_mean", true, "keep the mean");
const Param kPreserve = optional("preserve_range", false, "clip to the range before");

const RegisterTransform scale({
    .name = "ScaleIntensityFixedMean",
    .summary = "Multiply the differences from the mean by 1 + factor",
    .params = {optional("factor", 0.0, "1 + this is the multiplier"), kPreserve, kFixedMean,
               optional("channel_wise", false, "every channel on its own"), dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ByFactor<FixedMean>>(args); },
});

const RegisterRandomTransform rand_scale({
    .name = "RandScaleIntensityFixedMean",
    .summary = "Multiply the differences from the mean by 1 + a random number",
    .params = {prob_param(), optional("factors", 0.0, "range of the number: (min, max), or r for [-r, r]"), kFixedMean, kPreserve, dtype_param()},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<ByRandomFactor<FixedMean>>(args); },
    .dict_order = {"factors", "fixed_mean", "preserve_range", "prob"},
});

}  // namespace
}  // namespace vesal::transforms
