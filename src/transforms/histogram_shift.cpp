// RandHistogramShift: a random piecewise linear curve between the image's extremes. MONAI: RandHistogramShift.
#include "transforms/elementwise.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

class RandHistogramShift : public RandomImageTransform {
 public:
  explicit RandHistogramShift(const Args& args) : RandomImageTransform(args.get<double>("prob")) {
    const auto points = args.get<std::vector<std::int64_t>>("num_control_points");
    if (points.empty() || points.size() > 2)
      throw Error(ErrorKind::config, "RandHistogramShift: num_control_points is a number or a pair of numbers");
    least_ = *std::min_element(points.begin(), points.end());
    most_ = *std::max_element(points.begin(), points.end());
    if (least_ < 3 || most_ > 1'000'000)
      throw Error(ErrorKind::config, "RandHistogramShift: num_control_points = " + args["num_control_points"].repr() + ", want 3 to 1000000");
  }
  std::string type_name() const override { return "RandHistogramShift"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const auto points = static_cast<std::size_t>(random.integer(least_, most_ + 1));
    std::vector<double> curve(points);
    for (std::size_t i = 0; i < points; ++i) curve[i] = static_cast<double>(i) / static_cast<double>(points - 1);
    for (std::size_t i = 1; i + 1 < points; ++i) curve[i] = random.uniform(curve[i - 1], curve[i + 1]);
    Array out = copy_as(image.array(), working_type(image.dtype()));
    visit_working(out, [&](auto zero) { bend<decltype(zero)>(out, curve); });
    return image.with(converted(out, image.dtype()));
  }

 private:
  /// Evenly spaced intensities between the extremes go to those of the curve; an image of one value stays.
  template <class T>
  static void bend(Array& values, const std::vector<double>& curve) {
    const auto e = extremes_of<T>(values);
    if (!(e.low < e.high)) return;
    const double low = e.low, range = static_cast<double>(e.high) - low, steps = static_cast<double>(curve.size() - 1);
    for_each_block<T>(values, [&](T* p, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        const double at = (static_cast<double>(p[i]) - low) / range * steps;
        if (!(at >= 0)) continue;  // NaN stays
        const std::size_t k = std::min(static_cast<std::size_t>(at), curve.size() - 2);
        p[i] = static_cast<T>((curve[k] + (curve[k + 1] - curve[k]) * (at - static_cast<double>(k))) * range + low);
      }
    });
  }
  std::int64_t least_, most_;
};

const RegisterRandomTransform rand_histogram_shift({
    .name = "RandHistogramShift",
    .summary = "Bend the intensities along a random curve that never falls",
    .params = {optional("num_control_points", 10, "points of the curve: a number, or (min, max) to draw it from"), prob_param()},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandHistogramShift>(args); },
});

}  // namespace
}  // namespace vesal::transforms
