// NormalizeIntensity and ThresholdIntensity (monai.transforms).
#include <cmath>

#include "kernels/intensity.h"
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// A number, or one per channel.
std::vector<double> numbers_of(const Args& args, const char* name) {
  if (args.is_none(name)) return {};
  if (!args[name].is_array()) return args.get<std::vector<double>>(name);
  const Array a = args[name].as_array().to(DType::f64).contiguous();
  return {a.data<double>(), a.data<double>() + a.numel()};
}

struct Moments {
  double sum = 0;
  std::int64_t count = 0;
};

Moments moments(const Array& values, double center, int power, bool nonzero) {
  return reduce_blocks<float>(
      values, Moments{},
      [&](const float* p, std::int64_t n) {
        Moments m;
        m.sum = kernels::moment(p, n, center, power, nonzero, m.count);
        return m;
      },
      [](const Moments& a, const Moments& b) {
        return Moments{a.sum + b.sum, a.count + b.count};
      });
}

class NormalizeIntensity : public ImageTransform {
 public:
  explicit NormalizeIntensity(const Args& args)
      : subtrahend_(numbers_of(args, "subtrahend")),
        divisor_(numbers_of(args, "divisor")),
        nonzero_(args.get<bool>("nonzero")),
        channel_wise_(args.get<bool>("channel_wise")),
        type_(dtype_argument(args, "dtype")) {
    if (!channel_wise_ && (subtrahend_.size() > 1 || divisor_.size() > 1))
      throw Error(ErrorKind::config, args.component() + ": subtrahend and divisor are numbers unless channel_wise");
  }
  std::string type_name() const override { return "NormalizeIntensity"; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    Array out = copy_as(voxels, DType::f32);
    if (!channel_wise_) {
      normalize(out, 0);
    } else {
      for (std::int64_t c = 0; c < out.size(0); ++c) {
        Array channel = out.select(0, c);
        normalize(channel, static_cast<std::size_t>(c));
      }
      for (const auto* given : {&subtrahend_, &divisor_})
        if (!given->empty() && static_cast<std::int64_t>(given->size()) != out.size(0))
          throw Error(ErrorKind::shape, std::to_string(given->size()) + " subtrahends or divisors for " + std::to_string(out.size(0)) + " channels");
    }
    return image.with(converted(out, type_.value_or(voxels.dtype())));
  }

 private:
  void normalize(Array& values, std::size_t c) const {
    double mean = c < subtrahend_.size() ? subtrahend_[c] : 0, deviation = c < divisor_.size() ? divisor_[c] : 1;
    if (subtrahend_.empty() || divisor_.empty()) {
      const Moments first = moments(values, 0, 1, nonzero_);
      if (first.count == 0) return;
      const double own = first.sum / static_cast<double>(first.count);
      if (subtrahend_.empty()) mean = own;
      if (divisor_.empty()) deviation = std::sqrt(moments(values, own, 2, nonzero_).sum / static_cast<double>(first.count));
    }
    const float subtract = static_cast<float>(mean), divide = static_cast<float>(deviation) == 0 ? 1.f : static_cast<float>(deviation);
    for_each_block<float>(values, [&](float* p, std::int64_t n) {
      if (!nonzero_) return kernels::scale<float>(p, n, subtract, divide, false, 1, 0);
      for (std::int64_t i = 0; i < n; ++i) p[i] = p[i] == 0 ? p[i] : (p[i] - subtract) / divide;
    });
  }

  std::vector<double> subtrahend_, divisor_;
  bool nonzero_, channel_wise_;
  std::optional<DType> type_;
};

class ThresholdIntensity : public ImageTransform {
 public:
  ThresholdIntensity(double threshold, bool above, double fill) : threshold_(threshold), above_(above), fill_(fill) {}
  std::string type_name() const override { return "ThresholdIntensity"; }
  Image transform(const Image& image) const override {
    const Array voxels = image.array();
    Array out = copy_as(voxels, working_type(voxels.dtype()));
    visit_working(out, [&](auto zero) {
      using T = decltype(zero);
      const T limit = static_cast<T>(threshold_), fill = static_cast<T>(fill_);
      for_each_block<T>(out, [&](T* p, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) p[i] = (above_ ? p[i] > limit : p[i] < limit) ? p[i] : fill;
      });
    });
    return image.with(converted(out, voxels.dtype()));
  }

 private:
  double threshold_;
  bool above_;
  double fill_;
};

const RegisterTransform normalize({
    .name = "NormalizeIntensity",
    .summary = "Subtract the mean, divide by the standard deviation",
    .params = {optional("subtrahend", Value(), "subtracted instead of the mean; with channel_wise one per channel"),
               optional("divisor", Value(), "divides instead of the standard deviation; with channel_wise one per channel"),
               optional("nonzero", false, "only voxels that are not zero"), optional("channel_wise", false, "every channel on its own"),
               dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<NormalizeIntensity>(args); },
});

const RegisterTransform threshold({
    .name = "ThresholdIntensity",
    .summary = "Keep what is above or below a threshold",
    .params = {required("threshold", "the threshold"), optional("above", true, "keep what is above it, else what is below"),
               optional("cval", 0.0, "what the rest becomes")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<ThresholdIntensity>(args.get<double>("threshold"), args.get<bool>("above"), args.get<double>("cval"));
    },
});

}  // namespace
}  // namespace vesal::transforms
