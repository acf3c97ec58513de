// How far predictions are from real values: MSEMetric, MAEMetric, RMSEMetric, PSNRMetric of monai.metrics and their handlers MeanSquaredError,
// MeanAbsoluteError, RootMeanSquaredError, PeakSignalToNoiseRatio.
#include <cmath>
#include <mutex>

#include "train/metric_handler.h"

namespace vesal::train {
namespace {

/// A number per item from its mean squared or absolute error.
class RegressionMetric : public CumulativeMetric {
 public:
  RegressionMetric(std::string name, Options options, bool absolute, std::function<double(double)> finish)
      : CumulativeMetric(std::move(name), std::move(options)), absolute_(absolute), finish_(std::move(finish)) {}

  std::vector<float> score(const Array& y_pred, const Array& y, const std::vector<double>&) const override {
    if (y_pred.shape() != y.shape() || y.numel() == 0)
      throw Error(ErrorKind::shape, "predictions " + to_string(y_pred.shape()) + " against ground truth " + to_string(y.shape()));
    double sum = 0;
    std::mutex mutex;
    for_each_stretch(y_pred, y, [&](const float* a, const float* b, std::int64_t n) {
      double own = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(b[i]) - static_cast<double>(a[i]);
        own += absolute_ ? std::fabs(d) : d * d;
      }
      const std::lock_guard lock(mutex);
      sum += own;
    });
    return {static_cast<float>(finish_(sum / static_cast<double>(y.numel())))};
  }

 private:
  bool absolute_;
  std::function<double(double)> finish_;
};

using Finish = std::function<double(double)> (*)(const Args&);

/// The metric and its handler; `own` are arguments in front of the common ones.
struct Registers {
  Register metric, handler;
  Registers(const std::string& metric_name, const std::string& handler_name, const std::string& summary, std::vector<Param> own, bool absolute,
            Finish finish)
      : metric(component(metric_name, summary, with(own, {reduction_param(), counts_param()}),
                         [=](const Args& args) -> Value { return make(metric_name, args, args.get<bool>("get_not_nans"), absolute, finish); })),
        handler(component(handler_name, summary + ", over the items of an epoch", with(own, {reduction_param(), transform_param(), details_param()}),
                          [=](const Args& args) -> Value { return make_handler(args, make(metric_name, args, false, absolute, finish)); })) {}

  static CumulativeMetricPtr make(const std::string& name, const Args& args, bool get_not_nans, bool absolute, Finish finish) {
    return std::make_shared<RegressionMetric>(name, metric_options(args, get_not_nans), absolute, finish(args));
  }
  static std::vector<Param> with(std::vector<Param> own, const std::vector<Param>& common) {
    own.insert(own.end(), common.begin(), common.end());
    return own;
  }
  static Component component(const std::string& name, const std::string& summary, std::vector<Param> params, std::function<Value(const Args&)> make) {
    return {.kind = "metric", .name = name, .summary = summary, .params = std::move(params), .make = std::move(make)};
  }
};

std::function<double(double)> itself(const Args&) {
  return [](double error) { return error; };
}
std::function<double(double)> root(const Args&) {
  return [](double error) { return std::sqrt(error); };
}
std::function<double(double)> signal_to_noise(const Args& args) {
  const double largest = args.get<double>("max_val");
  return [=](double error) { return 20 * std::log10(largest) - 10 * std::log10(error); };
}

const Registers squared("MSEMetric", "MeanSquaredError", "Mean squared error", {}, false, itself);
const Registers absolute("MAEMetric", "MeanAbsoluteError", "Mean absolute error", {}, true, itself);
const Registers rooted("RMSEMetric", "RootMeanSquaredError", "Root of the mean squared error", {}, false, root);
const Registers ratio("PSNRMetric", "PeakSignalToNoiseRatio", "Peak signal to noise ratio in dB", {required("max_val", "the largest value possible")},
                      false, signal_to_noise);

}  // namespace
}  // namespace vesal::train
