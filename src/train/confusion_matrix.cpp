// ConfusionMatrixMetric and ConfusionMatrix: rates of right and wrong answers, as monai.metrics.ConfusionMatrixMetric and
// monai.handlers.ConfusionMatrix.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>

#include "train/metric_handler.h"

namespace vesal::train {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float ratio(float a, float b) { return b != 0 ? a / b : kNan; }

struct Counts {
  float tp, fp, tn, fn;
  float p() const { return tp + fn; }
  float n() const { return fp + tn; }
  float tpr() const { return p() > 0 ? tp / p() : kNan; }
  float tnr() const { return n() > 0 ? tn / n() : kNan; }
  float ppv() const { return tp + fp > 0 ? tp / (tp + fp) : kNan; }
  float npv() const { return tn + fn > 0 ? tn / (tn + fn) : kNan; }
};

struct Rate {
  std::vector<std::string> names;  ///< the one MONAI documents first
  float (*value)(const Counts&);
};

/// https://en.wikipedia.org/wiki/Confusion_matrix
const std::vector<Rate>& rates() {
  static const std::vector<Rate> all{
      {{"sensitivity", "recall", "hit_rate", "true_positive_rate", "tpr"}, [](const Counts& c) { return ratio(c.tp, c.p()); }},
      {{"specificity", "selectivity", "true_negative_rate", "tnr"}, [](const Counts& c) { return ratio(c.tn, c.n()); }},
      {{"precision", "positive_predictive_value", "ppv"}, [](const Counts& c) { return ratio(c.tp, c.tp + c.fp); }},
      {{"negative_predictive_value", "npv"}, [](const Counts& c) { return ratio(c.tn, c.tn + c.fn); }},
      {{"miss_rate", "false_negative_rate", "fnr"}, [](const Counts& c) { return ratio(c.fn, c.p()); }},
      {{"fall_out", "false_positive_rate", "fpr"}, [](const Counts& c) { return ratio(c.fp, c.n()); }},
      {{"false_discovery_rate", "fdr"}, [](const Counts& c) { return ratio(c.fp, c.fp + c.tp); }},
      {{"false_omission_rate", "for"}, [](const Counts& c) { return ratio(c.fn, c.fn + c.tn); }},
      {{"prevalence_threshold", "pt"},
       [](const Counts& c) { return ratio(std::sqrt(c.tpr() * (1 - c.tnr())) + c.tnr() - 1, c.tpr() + c.tnr() - 1); }},
      {{"threat_score", "critical_success_index", "ts", "csi"}, [](const Counts& c) { return ratio(c.tp, c.tp + c.fn + c.fp); }},
      {{"accuracy", "acc"}, [](const Counts& c) { return ratio(c.tp + c.tn, c.p() + c.n()); }},
      {{"balanced_accuracy", "ba"}, [](const Counts& c) { return (c.tpr() + c.tnr()) / 2; }},
      {{"f1_score", "f1"}, [](const Counts& c) { return ratio(2 * c.tp, 2 * c.tp + c.fn + c.fp); }},
      {{"matthews_correlation_coefficient", "mcc"},
       [](const Counts& c) { return ratio(c.tp * c.tn - c.fp * c.fn, std::sqrt((c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn))); }},
      {{"fowlkes_mallows_index", "fm"}, [](const Counts& c) { return std::sqrt(c.ppv() * c.tpr()); }},
      {{"informedness", "bookmaker_informedness", "bm", "youden_index", "youden"}, [](const Counts& c) { return c.tpr() + c.tnr() - 1; }},
      {{"markedness", "deltap", "mk"}, [](const Counts& c) { return c.ppv() + c.npv() - 1; }},
  };
  return all;
}

/// Upper and lower case, blanks and underlines are the same.
const Rate& find_rate(std::string name) {
  for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::vector<std::string> known;
  for (const Rate& rate : rates()) {
    if (std::find(rate.names.begin(), rate.names.end(), name) != rate.names.end()) return rate;
    known.insert(known.end(), rate.names.begin(), rate.names.end());
  }
  std::string first;
  for (const Rate& rate : rates()) first += (first.empty() ? "" : ", ") + rate.names[0];
  throw Error(ErrorKind::config, "metric_name '" + name + "'" + suggestion(name, known) + ", want one of " + first);
}

/// [..., 4] counts -> [...] of a rate.
Array rate_of(const Rate& rate, const Array& counts) {
  Shape shape(counts.shape().begin(), counts.shape().end() - 1);
  if (shape.empty()) shape = {1};
  Array out = Array::empty(shape, DType::f32);
  const Array in = counts.contiguous();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    const float* c = in.data<float>() + 4 * i;
    out.data<float>()[i] = rate.value({c[0], c[1], c[2], c[3]});
  }
  return out;
}

class ConfusionMatrixMetric : public CumulativeMetric {
 public:
  ConfusionMatrixMetric(Options options, const std::vector<std::string>& names, bool compute_sample)
      : CumulativeMetric("ConfusionMatrixMetric", four(std::move(options))), compute_sample_(compute_sample) {
    for (const std::string& name : names) rates_.push_back(&find_rate(name));
  }

  std::vector<float> score(const Array& given_y_pred, const Array& given_y, const std::vector<double>&) const override {
    const auto [y_pred, y] = scored_channels(given_y_pred, given_y, o_.include_background);
    if (y_pred.dim() == 1 || (y_pred.dim() == 2 && y_pred.size(1) == 1)) compute_sample_ = false;  // one answer per item: no rates of its own
    std::vector<float> out;
    for (std::int64_t c = 0; c < y_pred.size(0); ++c) {
      const Counts counts = count(y_pred.select(0, c), y.select(0, c));
      out.insert(out.end(), {counts.tp, counts.fp, counts.tn, counts.fn});
    }
    return out;
  }

  using CumulativeMetric::aggregate;
  Value aggregate(ScoreReduction reduction) const override { return aggregate(reduction, compute_sample_); }

  std::optional<Value> attribute(std::string_view name) override {
    if (name != "aggregate") return CumulativeMetric::attribute(name);
    return make_function("aggregate", [self = std::static_pointer_cast<ConfusionMatrixMetric>(shared_from_this())](const CallArgs& args) {
      const Args bound =
          bind("aggregate", {optional("compute_sample", false, "rates of each item first"), optional("reduction", {}, "as the metric's own")}, args);
      const ScoreReduction reduction = bound.is_none("reduction") ? self->o_.reduction : parse_score_reduction(bound.get<std::string>("reduction"));
      return self->aggregate(reduction, bound.get<bool>("compute_sample") || self->compute_sample_);
    });
  }

 private:
  static Options four(Options options) {
    options.values = 4;
    return options;
  }

  static Counts count(const Array& y_pred, const Array& y) {
    double tp = 0, tn = 0, p = 0;
    std::mutex mutex;
    const auto add = [&](const float* a, const float* b, std::int64_t n) {
      double own_tp = 0, own_tn = 0, own_p = 0;
      for (std::int64_t i = 0; i < n; ++i) own_tp += a[i] + b[i] == 2, own_tn += a[i] + b[i] == 0, own_p += b[i];
      const std::lock_guard lock(mutex);
      tp += own_tp, tn += own_tn, p += own_p;
    };
    for_each_stretch(y_pred, y, add);
    const double n = static_cast<double>(y.numel()) - p;
    return {static_cast<float>(tp), static_cast<float>(n - tn), static_cast<float>(tn), static_cast<float>(p - tp)};
  }

  Value aggregate(ScoreReduction reduction, bool compute_sample) const {
    const Array scores = all_scores();
    List results;
    for (const Rate* rate : rates_) {
      ReducedScores reduced = compute_sample ? reduce_scores(rate_of(*rate, scores), reduction) : reduce_counts(scores, reduction);
      const Value value = compute_sample ? reduced.value : rate_of(*rate, reduced.value);
      results.items.push_back(o_.get_not_nans ? Value(Tuple{{value, reduced.not_nans}}) : value);
    }
    return results;
  }

  /// [items, classes, 4] -> [..., 4]
  static ReducedScores reduce_counts(const Array& counts, ScoreReduction reduction) {
    std::array<Array, 4> values, not_nans;
    for (std::size_t i = 0; i < 4; ++i) {
      ReducedScores one = reduce_scores(counts.select(2, static_cast<std::int64_t>(i)), reduction);
      values[i] = std::move(one.value), not_nans[i] = std::move(one.not_nans);
    }
    return {stack(values, values[0].dim()), stack(not_nans, not_nans[0].dim())};
  }

  mutable bool compute_sample_;
  std::vector<const Rate*> rates_;
};

CumulativeMetricPtr make(const Args& args, bool get_not_nans) {
  return std::make_shared<ConfusionMatrixMetric>(metric_options(args, get_not_nans), args.get<std::vector<std::string>>("metric_name"),
                                                 args.get<bool>("compute_sample"));
}

const Param kName = optional("metric_name", "hit_rate", "a rate or several: sensitivity, specificity, precision, f1 score, ...");
const Param kSample = optional("compute_sample", false, "rates of each item first, then their mean; else the rate of the mean counts");

const Register metric({.kind = "metric",
                       .name = "ConfusionMatrixMetric",
                       .summary = "Rates of right and wrong answers; call it with predictions and ground truth, aggregate() gives a list",
                       .params = {background_param(true), kName, kSample, reduction_param(), counts_param()},
                       .make = [](const Args& args) -> Value { return make(args, args.get<bool>("get_not_nans")); }});
const Register handler({.kind = "metric",
                        .name = "ConfusionMatrix",
                        .summary = "A rate of right or wrong answers over the items of an epoch, as a metric of a trainer or evaluator",
                        .params = {background_param(true), kName, kSample, reduction_param(), transform_param(), details_param()},
                        .make = [](const Args& args) -> Value { return make_handler(args, make(args, false)); }});

}  // namespace
}  // namespace vesal::train
