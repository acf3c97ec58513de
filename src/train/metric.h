// Metrics: how good segmentations are, over many scans (monai.metrics and monai.handlers).
#pragma once
#include <functional>
#include <vector>

#include "base/registry.h"

namespace vesal::train {

/// How scores [items, classes] become one number or a few. Scores that are NaN (class absent from the ground truth) do not count.
enum class ScoreReduction { none, mean, sum, mean_batch, sum_batch, mean_channel, sum_channel };
ScoreReduction parse_score_reduction(const std::string& name);

struct ReducedScores {
  Array value;     ///< float32: [] for mean and sum, [classes] for *_batch, [items] for *_channel, [items, classes] for none
  Array not_nans;  ///< how many scores count, of the same shape
};
ReducedScores reduce_scores(const Array& scores, ScoreReduction reduction);

/// Keeps the scores of all items it has seen until reset(). Callable: metric(y_pred, y) with arrays [B, C, ...] or lists of
/// [C, ...] gives their scores [B, classes]. Attributes: aggregate(reduction=None), reset(), get_buffer(). One thread at a time.
class CumulativeMetric : public Object {
 public:
  struct Options {
    bool include_background = true;
    ScoreReduction reduction = ScoreReduction::mean;
    bool get_not_nans = false;
    Value return_with_label = false;  ///< true or a list of names: a dict per class, with mean_batch
  };
  CumulativeMetric(std::string name, Options options) : o_(std::move(options)), name_(std::move(name)) {}

  /// One score per class of one item; y_pred and y [C, ...] or labels [1, ...].
  virtual std::vector<float> score(const Array& y_pred, const Array& y) const = 0;

  /// Scores the items and keeps them; [B, classes].
  Array update(const Value& y_pred, const Value& y);
  Value aggregate() const { return aggregate(o_.reduction); }
  /// An array, a dict by class name, or with get_not_nans a tuple (that, counts). Throws Error(config) if nothing was seen.
  Value aggregate(ScoreReduction reduction) const;
  void reset() { rows_.clear(); }
  Array buffer() const;      ///< [items, classes] of all ranks, which all must call it
  Array own_buffer() const;  ///< [items, classes] of this rank

  std::string type_name() const override { return name_; }
  Value call(const CallArgs& args) override;
  std::optional<Value> attribute(std::string_view name) override;

 protected:
  Options o_;

 private:
  std::string name_;
  std::vector<std::vector<float>> rows_;
};
using CumulativeMetricPtr = std::shared_ptr<CumulativeMetric>;

/// The items of a batch: [B, C, ...] is taken apart, a list or tuple of [C, ...] is taken as it is.
std::vector<Array> items_of(const Value& batch);

/// Calls body(a, b, n) with stretches of both arrays as float32, from several threads at once. Both have the same numel.
void for_each_stretch(const Array& a, const Array& b, const std::function<void(const float*, const float*, std::int64_t)>& body);

}  // namespace vesal::train
