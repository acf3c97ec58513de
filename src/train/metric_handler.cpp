#include "train/metric_handler.h"

namespace vesal::train {

std::pair<Value, Value> prediction_and_truth(const Value& output) {
  if (!output.is_sequence() || output.items().size() != 2)
    throw Error(ErrorKind::config, "output_transform must give (y_pred, y), got " + output.type_name() +
                                       (output.is_sequence() ? " of " + std::to_string(output.items().size()) : ""));
  return {output.items()[0], output.items()[1]};
}

Param transform_param() { return optional("output_transform", nullptr, "callable: engine output -> (y_pred, y)"); }
Param details_param() { return optional("save_details", true, "keep the scores of each item in state.metric_details"); }

Value make_handler(const Args& args, CumulativeMetricPtr metric) {
  return std::make_shared<MetricHandler>(args.component(), std::move(metric), args["output_transform"], args.get<bool>("save_details"));
}

Value MetricHandler::compute() {
  Value result = metric_->aggregate();
  if (result.is_sequence()) result = result.items()[0];  // without counts, and of several metrics the first
  if (result.is_tuple()) result = result.items()[0];
  if (!result.is_array()) return result;
  if (result.as_array().numel() == 1) return result.as_array().item();
  return result;
}

}  // namespace vesal::train
