// MetricHandler: a cumulative metric attached to an engine (monai.handlers.IgniteMetricHandler).
#pragma once
#include "infer/workflow.h"
#include "train/metric.h"

namespace vesal::train {

/// The predictions and ground truths of an output: (y_pred, y). Throws Error(config) for anything else.
std::pair<Value, Value> prediction_and_truth(const Value& output);

class MetricHandler : public infer::Metric {
 public:
  MetricHandler(std::string name, CumulativeMetricPtr metric, Value output_transform, bool save_details)
      : name_(std::move(name)), metric_(std::move(metric)), save_details_(save_details) {
    this->output_transform = std::move(output_transform);
  }
  std::string type_name() const override { return name_; }
  void reset() override { metric_->reset(); }
  void update(const Value& output) override {
    const auto [y_pred, y] = prediction_and_truth(output);
    metric_->update(y_pred, y);
  }
  /// A float, an array of several, or a dict by class name.
  Value compute() override;
  Array details() const override { return save_details_ ? metric_->buffer() : Array(); }

 private:
  std::string name_;
  CumulativeMetricPtr metric_;
  bool save_details_;
};

/// The arguments that all such handlers share.
Param transform_param();
Param details_param();
/// A handler of the metric, with output_transform and save_details from the arguments.
Value make_handler(const Args& args, CumulativeMetricPtr metric);

}  // namespace vesal::train
