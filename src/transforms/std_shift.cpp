// StdShiftIntensity, RandStdShiftIntensity: shifts by a part of the image's own standard deviation. MONAI: the same names.
#include "transforms/arguments.h"
#include "transforms/factor_step.h"

namespace vesal::transforms {
namespace {

struct StdShift {
  static constexpr const char* kName = "StdShiftIntensity";
  bool nonzero, channel_wise;
  std::optional<DType> type;
  explicit StdShift(const Args& args)
      : nonzero(args.get<bool>("nonzero")), channel_wise(args.get<bool>("channel_wise")), type(dtype_argument(args, "dtype")) {}

  Image apply(const Image& image, double factor) const {
    const DType wanted = type.value_or(image.dtype());
    Array out = copy_as(image.array(), working_type(wanted));
    if (!channel_wise) shift(out, factor);
    else
      for (std::int64_t c = 0; c < out.size(0); ++c) {
        Array channel = out.select(0, c);
        shift(channel, factor);
      }
    return image.with(converted(out, wanted));
  }

 private:
  void shift(Array& values, double factor) const {
    visit_working(values, [&](auto zero) {
      using T = decltype(zero);
      const Spread spread = spread_of<T>(values, nonzero, 0);
      if (spread.count == 0) return;
      const T add = static_cast<T>(factor * spread.deviation);
      for_each_block<T>(values, [&](T* p, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) p[i] += !nonzero || p[i] != 0 ? add : T{};
      });
    });
  }
};

const Param kNonzero = optional("nonzero", false, "measure and shift only voxels that are not zero");
const Param kChannelWise = optional("channel_wise", false, "measure every channel on its own");

const RegisterTransform std_shift({
    .name = "StdShiftIntensity",
    .summary = "Add a multiple of the standard deviation to every voxel",
    .params = {required("factor", "times the standard deviation is added"), kNonzero, kChannelWise, dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ByFactor<StdShift>>(args); },
});

const RegisterRandomTransform rand_std_shift({
    .name = "RandStdShiftIntensity",
    .summary = "Add a random multiple of the standard deviation to every voxel",
    .params = {required("factors", "range of the multiple: (min, max), or r for [-r, r]"), prob_param(), kNonzero, kChannelWise, dtype_param()},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<ByRandomFactor<StdShift>>(args); },
});

}  // namespace
}  // namespace vesal::transforms
