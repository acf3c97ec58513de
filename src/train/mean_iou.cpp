// MeanIoU and MeanIoUHandler: intersection over union of one-hot segmentations, as monai.metrics.MeanIoU and monai.handlers.MeanIoUHandler.
#include <limits>
#include <mutex>

#include "train/metric_handler.h"

namespace vesal::train {
namespace {

class MeanIoU : public CumulativeMetric {
 public:
  MeanIoU(Options options, bool ignore_empty) : CumulativeMetric("MeanIoU", std::move(options)), ignore_empty_(ignore_empty) {}

  std::vector<float> score(const Array& given_y_pred, const Array& given_y, const std::vector<double>&) const override {
    const auto [y_pred, y] = scored_channels(given_y_pred, given_y, o_.include_background);
    std::vector<float> scores;
    for (std::int64_t c = 0; c < y_pred.size(0); ++c) scores.push_back(score_class(y_pred.select(0, c), y.select(0, c)));
    return scores;
  }

 private:
  float score_class(const Array& y_pred, const Array& y) const {
    double both = 0, predicted = 0, truth = 0;
    std::mutex mutex;
    for_each_stretch(y_pred, y, [&](const float* p, const float* t, std::int64_t n) {
      double own_both = 0, own_predicted = 0, own_truth = 0;
      for (std::int64_t i = 0; i < n; ++i) own_both += p[i] * t[i], own_predicted += p[i], own_truth += t[i];
      const std::lock_guard lock(mutex);
      both += own_both, predicted += own_predicted, truth += own_truth;
    });
    const double united = truth + predicted - both;
    if (ignore_empty_) return truth > 0 ? static_cast<float>(both / united) : std::numeric_limits<float>::quiet_NaN();
    return united > 0 ? static_cast<float>(both / united) : 1.0f;
  }
  bool ignore_empty_;
};

const Register metric({.kind = "metric",
                       .name = "MeanIoU",
                       .summary = "Intersection over union per item and class; call it with predictions and ground truth, then aggregate()",
                       .params = {background_param(true), reduction_param(), counts_param(),
                                  optional("ignore_empty", true, "an empty ground truth gives NaN, which does not count; else 1 or 0")},
                       .make = [](const Args& args) -> Value {
                         return std::make_shared<MeanIoU>(metric_options(args, args.get<bool>("get_not_nans")), args.get<bool>("ignore_empty"));
                       }});
const Register handler({.kind = "metric",
                        .name = "MeanIoUHandler",
                        .summary = "Intersection over union over the items of an epoch, as a metric of a trainer or evaluator",
                        .params = {background_param(true), reduction_param(), transform_param(), details_param()},
                        .make = [](const Args& args) -> Value {
                          return make_handler(args, std::make_shared<MeanIoU>(metric_options(args, false), true));
                        }});

}  // namespace
}  // namespace vesal::train
