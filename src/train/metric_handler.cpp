#include "train/metric_handler.h"

namespace vesal::train {

std::pair<Value, Value> prediction_and_truth(const Value& output) {
  if (!output.is_sequence() || output.items().size() != 2)
    throw Error(ErrorKind::config, "output_transform must give (y_pred, y), got " + output.type_name() +
                                       (output.is_sequence() ? " of " + std::to_string(output.items().size()) : ""));
  return {output.items()[0], output.items()[1]};
}

Value MetricHandler::compute() {
  Value result = metric_->aggregate();
  if (result.is_tuple()) result = result.items()[0];
  if (!result.is_array()) return result;
  if (result.as_array().numel() == 1) return result.as_array().item();
  return result;
}

}  // namespace vesal::train
