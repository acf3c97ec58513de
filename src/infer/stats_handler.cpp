// StatsHandler (monai.handlers.StatsHandler): lines about losses and metrics in the engine's log.
#include <fmt/format.h>

#include <algorithm>

#include "infer/handler_tools.h"

namespace vesal::infer {
namespace {

class StatsHandler : public Handler {
 public:
  explicit StatsHandler(const Args& args) : a_(args) {}
  std::string type_name() const override { return "StatsHandler"; }

  void attach(Workflow& engine) override {
    auto self = std::static_pointer_cast<StatsHandler>(shared_from_this());
    const auto listen = [&](Event event, const char* flag, const char* printer, void (StatsHandler::*print)(Workflow&) const) {
      if (!a_[flag].truthy()) return;
      const auto run = [self, printer, print](Workflow& w) {
        if (self->a_.is_none(printer)) ((*self).*print)(w);
        else call_value(self->a_[printer], {{Value(w.shared_from_this())}, {}});
      };
      engine.on(event, run, filter_of(a_[flag]));
    };
    listen(Event::iteration_completed, "iteration_log", "iteration_print_logger", &StatsHandler::print_iteration);
    listen(Event::epoch_completed, "epoch_log", "epoch_print_logger", &StatsHandler::print_epoch);
  }

 private:
  std::string entry(const std::string& name, const Value& value) const {
    return bundle::expr::format_fields(a_.get<std::string>("key_var_format"), {{Value(name), Value(scalar_of(value))}, {}});
  }

  /// Metrics that are dicts are flattened, as the peer does.
  static void flatten(const Dict& metrics, std::map<std::string, Value>& sorted) {
    for (const auto& [name, value] : metrics) {
      if (value.is_dict()) flatten(value.as_dict(), sorted);
      else sorted[name.str()] = value;
    }
  }

  void print_epoch(Workflow& engine) const {
    const State& s = engine.state();
    Value epoch = s.epoch;
    if (!a_.is_none("global_epoch_transform")) epoch = call_value(a_["global_epoch_transform"], {{epoch}, {}});
    std::map<std::string, Value> sorted;
    flatten(s.metrics, sorted);
    if (!sorted.empty()) {
      std::string line = "Epoch[" + epoch.str() + "] Metrics -- ";
      for (const auto& [name, value] : sorted) line += is_scalar(value) ? entry(name, value) : name + ": " + value.str();
      engine.logger().info(line);
    }
    if (!s.key_metric_name.empty())
      engine.logger().info(fmt::format("Key metric: {} best value: {} at epoch: {}", s.key_metric_name, s.best_metric.str(), s.best_metric_epoch));
    if (a_.is_none("state_attributes")) return;
    std::string line = "State values: ";
    for (const std::string& name : a_.get<std::vector<std::string>>("state_attributes"))
      line += name + ": " + engine.state().attribute(name).value_or(Value()).str() + " ";
    engine.logger().info(line);
  }

  void print_iteration(Workflow& engine) const {
    const State& s = engine.state();
    std::string text;
    for (const auto& [name, value] : iteration_scalars(a_, s.output)) text += entry(name, value);
    if (text.empty()) return;
    const std::int64_t length = s.epoch_length.value_or(0);
    const std::int64_t iteration = length > 0 ? (s.iteration - 1) % length + 1 : s.iteration;
    engine.logger().info(
        fmt::format("Epoch: {}/{}, Iter: {}/{} -- {}", s.epoch, s.max_epochs, iteration, length > 0 ? std::to_string(length) : "None", text));
  }

  Args a_;
};

const Register stats({
    .kind = "handler",
    .name = "StatsHandler",
    .summary = "Log losses after iterations and metrics after epochs",
    .params = {optional("iteration_log", true, "log iterations; or every n-th; or a callable (engine, iteration) -> bool"),
               optional("epoch_log", true, "log epochs; or every n-th; or a callable (engine, epoch) -> bool"),
               optional("epoch_print_logger", nullptr, "callable (engine) instead of the built-in line"),
               optional("iteration_print_logger", nullptr, "callable (engine) instead of the built-in line"),
               optional("output_transform", nullptr, "callable: engine output -> number or dict of numbers; the first item"),
               optional("global_epoch_transform", nullptr, "callable: epoch -> the epoch that is shown"),
               optional("state_attributes", nullptr, "names of attributes of engine.state to log"),
               optional("name", "monai.handlers.StatsHandler", "accepted; lines go to the engine's log"),
               optional("tag_name", "Loss", "name of a single number"),
               optional("key_var_format", "{}: {:.4f} ", "Python format of name and number")},
    .make = [](const Args& args) -> Value { return std::make_shared<StatsHandler>(args); },
});

}  // namespace
}  // namespace vesal::infer
