// RandGaussianNoise: independent normal noise on every voxel. MONAI: RandGaussianNoise.
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

/// Adds noise to a C-contiguous array; the numbers hang on the seed alone, not on the number of threads.
template <class T>
void add_normal(Array& values, double mean, double deviation, std::uint64_t seed) {
  constexpr std::int64_t kBlock = 4096;
  T* p = values.data<T>();
  const std::int64_t n = values.numel();
  parallel_for((n + kBlock - 1) / kBlock, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      Random random(mix_seed(seed, static_cast<std::uint64_t>(b)));
      for (std::int64_t i = b * kBlock; i < std::min(n, (b + 1) * kBlock); ++i) p[i] += static_cast<T>(random.normal(mean, deviation));
    }
  });
}

class RandGaussianNoise : public RandomImageTransform {
 public:
  explicit RandGaussianNoise(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        mean_(args.get<double>("mean")),
        std_(args.get<double>("std")),
        type_(dtype_argument(args, "dtype")),
        sample_std_(args.get<bool>("sample_std")) {}
  std::string type_name() const override { return "RandGaussianNoise"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const double deviation = sample_std_ ? random.uniform(0, std_) : std_;
    const DType type = type_.value_or(image.dtype());
    Array out = copy_as(image.array(), working_type(type));
    visit_working(out, [&](auto zero) { add_normal<decltype(zero)>(out, mean_, deviation, random.next()); });
    return image.with(converted(out, type));
  }

 private:
  double mean_, std_;
  std::optional<DType> type_;
  bool sample_std_;
};

const RegisterRandomTransform rand_gaussian_noise({
    .name = "RandGaussianNoise",
    .summary = "Add normal noise to every voxel",
    .params = {prob_param(), optional("mean", 0.0, "mean of the noise"), optional("std", 0.1, "standard deviation of the noise"), dtype_param(),
               optional("sample_std", true, "draw the standard deviation from [0, std]")},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandGaussianNoise>(args); },
});

}  // namespace
}  // namespace vesal::transforms
