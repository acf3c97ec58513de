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
    bool takes_spacing = false;       ///< metric(y_pred, y, spacing=None)
    std::int64_t values = 1;          ///< numbers per class of an item
  };
  CumulativeMetric(std::string name, Options options) : o_(std::move(options)), name_(std::move(name)) {}

  /// The scores of one item, class by class; y_pred and y [C, ...] or labels [1, ...]; spacing: mm per spatial axis, empty for 1.
  virtual std::vector<float> score(const Array& y_pred, const Array& y, const std::vector<double>& spacing) const = 0;

  /// Scores the items and keeps them; [B, classes]. spacing: None, a number, one per axis, or such a list per item.
  Array update(const Value& y_pred, const Value& y, const Value& spacing = {});
  Value aggregate() const { return aggregate(o_.reduction); }
  /// An array, a dict by class name, or with get_not_nans a tuple (that, counts). Throws Error(config) if nothing was seen.
  virtual Value aggregate(ScoreReduction reduction) const;
  void reset() { rows_.clear(); }
  Array buffer() const;      ///< [items, classes] (with `values` as a third axis) of all ranks, which all must call it
  Array own_buffer() const;  ///< the same of this rank

  std::string type_name() const override { return name_; }
  Value call(const CallArgs& args) override;
  std::optional<Value> attribute(std::string_view name) override;

 protected:
  /// buffer(); throws Error(config) if no item was scored.
  Array all_scores() const;
  Options o_;

 private:
  Array shaped(const Array& rows) const;
  std::string name_;
  std::vector<std::vector<float>> rows_;
};
using CumulativeMetricPtr = std::shared_ptr<CumulativeMetric>;

/// The items of a batch: [B, C, ...] is taken apart, a list or tuple of [C, ...] is taken as it is.
std::vector<Array> items_of(const Value& batch);

/// What is scored of two one-hot items: both have the same shape [C, ...] (else Error(shape)); class 0 is dropped unless it is wanted or the only
/// one.
std::pair<Array, Array> scored_channels(const Array& y_pred, const Array& y, bool include_background);

/// The arguments that MONAI's metrics share, and what they say.
Param background_param(bool fallback);
Param reduction_param();
Param counts_param();
CumulativeMetric::Options metric_options(const Args& args, bool get_not_nans);

/// Calls body(a, b, n) with stretches of both arrays as float32, from several threads at once. Both have the same numel.
void for_each_stretch(const Array& a, const Array& b, const std::function<void(const float*, const float*, std::int64_t)>& body);

}  // namespace vesal::train
