// DiceMetric and MeanDice: overlap of binary or one-hot segmentations, as monai.metrics.DiceMetric and monai.handlers.MeanDice.
#include <cmath>
#include <limits>
#include <mutex>

#include "train/metric.h"
#include "train/metric_handler.h"

namespace vesal::train {
namespace {

class DiceMetric : public CumulativeMetric {
 public:
  DiceMetric(Options options, bool ignore_empty, std::optional<std::int64_t> num_classes)
      : CumulativeMetric("DiceMetric", std::move(options)), ignore_empty_(ignore_empty), num_classes_(num_classes) {}

  /// An array of one channel holds class indices, one of several channels is one-hot.
  std::vector<float> score(const Array& y_pred, const Array& y, const std::vector<double>&) const override {
    if (y_pred.dim() < 2 || y.dim() != y_pred.dim() || !std::equal(y_pred.shape().begin() + 1, y_pred.shape().end(), y.shape().begin() + 1))
      throw Error(ErrorKind::shape, "predictions " + to_string(y_pred.shape()) + " and ground truth " + to_string(y.shape()) +
                                        " must be [C, spatial...] of the same extents");
    const std::int64_t classes = num_classes_.value_or(y_pred.size(0));
    for (const Array* a : {&y_pred, &y})
      if (a->size(0) != 1 && a->size(0) < classes)
        throw Error(ErrorKind::shape, to_string(a->shape()) + " has neither 1 channel of labels nor " + std::to_string(classes) + " of classes");
    if (classes == 1) return {score_class(y_pred, y, 1)};
    std::vector<float> scores;
    for (std::int64_t c = o_.include_background ? 0 : 1; c < classes; ++c) scores.push_back(score_class(y_pred, y, c));
    return scores;
  }

 private:
  float score_class(const Array& y_pred, const Array& y, std::int64_t c) const {
    const bool pred_labels = y_pred.size(0) == 1, truth_labels = y.size(0) == 1;
    double predicted = 0, truth = 0, both = 0;
    std::mutex mutex;
    for_each_stretch(y_pred.select(0, pred_labels ? 0 : c), y.select(0, truth_labels ? 0 : c), [&](const float* p, const float* t, std::int64_t n) {
      double own_predicted = 0, own_truth = 0, own_both = 0;
      const float label = static_cast<float>(c);
      for (std::int64_t i = 0; i < n; ++i) {
        const float is = (pred_labels ? p[i] == label : p[i] != 0) ? 1.0f : 0.0f;
        const float was = truth_labels ? (t[i] == label ? 1.0f : 0.0f) : t[i];
        own_predicted += is;
        own_truth += was;
        own_both += is * was;
      }
      const std::lock_guard lock(mutex);
      predicted += own_predicted;
      truth += own_truth;
      both += own_both;
    });
    if (truth > 0) return static_cast<float>(2 * both / (truth + predicted));
    if (ignore_empty_) return std::numeric_limits<float>::quiet_NaN();
    return truth + predicted <= 0 ? 1.0f : 0.0f;
  }

  bool ignore_empty_;
  std::optional<std::int64_t> num_classes_;
};

CumulativeMetricPtr make_dice(const Args& args, bool get_not_nans, bool ignore_empty) {
  const Value& labels = args["return_with_label"];
  if (!labels.is_bool() && !labels.is_sequence())
    throw Error(ErrorKind::config, args.component() + ": return_with_label is true, false or a list of names");
  const auto num_classes = args.get<std::optional<std::int64_t>>("num_classes");
  if (num_classes && *num_classes < 1) throw Error(ErrorKind::config, args.component() + ": num_classes must be positive");
  CumulativeMetric::Options options = metric_options(args, get_not_nans);
  options.return_with_label = labels;
  return std::make_shared<DiceMetric>(std::move(options), ignore_empty, num_classes);
}

const Param kClasses = optional("num_classes", nullptr, "classes with the background, where predictions are labels of one channel");
const Param kLabels = optional("return_with_label", false, "with mean_batch: a score per class by name; true or a list of names");

const Register dice_metric(
    {.kind = "metric",
     .name = "DiceMetric",
     .summary = "Dice per item and class; call it with predictions and ground truth, then aggregate()",
     .params = {background_param(true), reduction_param(), counts_param(),
                optional("ignore_empty", true, "an empty ground truth gives NaN, which does not count; else 1 or 0"), kClasses, kLabels},
     .make = [](const Args& args) -> Value { return make_dice(args, args.get<bool>("get_not_nans"), args.get<bool>("ignore_empty")); }});

const Register mean_dice({.kind = "metric",
                          .name = "MeanDice",
                          .summary = "Dice over the items of an epoch, as a metric of a trainer or evaluator",
                          .params = {background_param(true), reduction_param(), kClasses, transform_param(), details_param(), kLabels},
                          .make = [](const Args& args) -> Value { return make_handler(args, make_dice(args, false, true)); }});

}  // namespace
}  // namespace vesal::train
