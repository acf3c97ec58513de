// AdjustContrast, RandAdjustContrast: a gamma curve between the image's extremes. MONAI: the same names.
#include <cmath>

#include "transforms/elementwise.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

struct Contrast {
  bool invert, retain_stats;
  explicit Contrast(const Args& args) : invert(args.get<bool>("invert_image")), retain_stats(args.get<bool>("retain_stats")) {}

  Image apply(const Image& image, double gamma) const {
    Array out = copy_as(image.array(), working_type(image.dtype()));
    if (out.numel() == 0) return image;
    visit_working(out, [&](auto zero) { curve<decltype(zero)>(out, gamma); });
    return image.with(out);
  }

 private:
  template <class T>
  void curve(Array& values, double gamma) const {
    const auto each = [&](auto&& f) {
      for_each_block<T>(values, [&](T* p, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) p[i] = f(p[i]);
      });
    };
    if (invert) each([](T x) { return -x; });
    const Spread before = retain_stats ? spread_of<T>(values, false, 1) : Spread{};
    const auto e = extremes_of<T>(values);
    const T low = e.low, range = e.high - e.low, divide = range + static_cast<T>(1e-7), power = static_cast<T>(gamma);
    each([=](T x) { return std::pow((x - low) / divide, power) * range + low; });
    if (retain_stats) {
      const Spread after = spread_of<T>(values, false, 1);
      const T mean = static_cast<T>(after.mean), by = static_cast<T>(before.deviation / (after.deviation + 1e-8)), add = static_cast<T>(before.mean);
      each([=](T x) { return (x - mean) * by + add; });
    }
    if (invert) each([](T x) { return -x; });
  }
};

class AdjustContrast : public ImageTransform {
 public:
  explicit AdjustContrast(const Args& args) : contrast_(args), gamma_(args.get<double>("gamma")) {}
  std::string type_name() const override { return "AdjustContrast"; }
  Image transform(const Image& image) const override { return contrast_.apply(image, gamma_); }

 private:
  Contrast contrast_;
  double gamma_;
};

class RandAdjustContrast : public RandomImageTransform {
 public:
  explicit RandAdjustContrast(const Args& args) : RandomImageTransform(args.get<double>("prob")), contrast_(args) {
    if (args["gamma"].is_sequence()) {
      gamma_ = interval_argument(args, "gamma");
    } else {
      gamma_ = {0.5, args.get<double>("gamma")};
      if (!(gamma_.high > 0.5))
        throw Error(ErrorKind::config, "RandAdjustContrast: a single gamma is the end of (0.5, gamma), got " + args["gamma"].repr());
    }
  }
  std::string type_name() const override { return "RandAdjustContrast"; }

 protected:
  Image changed(const Image& image, Random& random) const override { return contrast_.apply(image, gamma_.draw(random)); }

 private:
  Contrast contrast_;
  Interval gamma_;
};

const Param kInvert = optional("invert_image", false, "apply the curve to the negative of the image");
const Param kRetain = optional("retain_stats", false, "keep mean and standard deviation");

const RegisterTransform adjust_contrast({
    .name = "AdjustContrast",
    .summary = "A gamma curve between the image's smallest and largest value",
    .params = {required("gamma", "exponent; above 1 darkens"), kInvert, kRetain},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<AdjustContrast>(args); },
});

const RegisterRandomTransform rand_adjust_contrast({
    .name = "RandAdjustContrast",
    .summary = "A random gamma curve between the image's smallest and largest value",
    .params = {prob_param(), optional("gamma", Tuple{{0.5, 4.5}}, "range of the exponent: (min, max), or g for (0.5, g)"), kInvert, kRetain},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandAdjustContrast>(args); },
});

}  // namespace
}  // namespace vesal::transforms
