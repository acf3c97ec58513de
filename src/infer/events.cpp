// Names of events and the state of an engine, as expressions see them.
#include <array>

#include "base/ranks.h"
#include "infer/workflow.h"

namespace vesal::infer {
namespace {

constexpr std::array<std::pair<const char*, Event>, 7> kIgniteEvents{{{"STARTED", Event::started},
                                                                      {"EPOCH_STARTED", Event::epoch_started},
                                                                      {"ITERATION_STARTED", Event::iteration_started},
                                                                      {"ITERATION_COMPLETED", Event::iteration_completed},
                                                                      {"EPOCH_COMPLETED", Event::epoch_completed},
                                                                      {"COMPLETED", Event::completed},
                                                                      {"EXCEPTION_RAISED", Event::exception_raised}}};
constexpr std::array<std::pair<const char*, Event>, 4> kMonaiEvents{{{"FORWARD_COMPLETED", Event::forward_completed},
                                                                     {"LOSS_COMPLETED", Event::loss_completed},
                                                                     {"BACKWARD_COMPLETED", Event::backward_completed},
                                                                     {"MODEL_COMPLETED", Event::model_completed}}};

[[maybe_unused]] const bool registered = [] {
  for (const auto& [name, event] : kIgniteEvents)
    allowed::add(std::string("ignite.engine.Events.") + name, std::make_shared<EventName>(event, EventFilter{}));
  for (const auto& [name, event] : kMonaiEvents)
    allowed::add(std::string("monai.engines.IterationEvents.") + name, std::make_shared<EventName>(event, EventFilter{}));
  return true;
}();

Value or_none(const std::optional<std::int64_t>& v) { return v ? Value(*v) : Value(); }

}  // namespace

Value EventName::call(const CallArgs& args) {
  const Args bound = bind("Events",
                          {optional("event_filter", {}, "callable (engine, count) -> bool"), optional("every", {}, "call each n-th time"),
                           optional("once", {}, "call the n-th time only")},
                          args);
  EventFilter narrowed;
  narrowed.when = bound["event_filter"];
  narrowed.every = bound.get<std::optional<std::int64_t>>("every").value_or(1);
  narrowed.once = bound.get<std::optional<std::int64_t>>("once").value_or(0);
  if (narrowed.every < 1 || narrowed.once < 0) throw Error(ErrorKind::config, "Events: every and once are positive numbers");
  return std::make_shared<EventName>(event, narrowed);
}

std::optional<Value> State::attribute(std::string_view name) {
  if (name == "epoch") return Value(epoch);
  if (name == "iteration") return Value(iteration);
  if (name == "max_epochs") return Value(max_epochs);
  if (name == "epoch_length") return or_none(epoch_length);
  if (name == "batch") return batch;
  if (name == "output") return output;
  if (name == "metrics") return Value(metrics);
  if (name == "metric_details") return Value(metric_details);
  if (name == "key_metric_name") return key_metric_name.empty() ? Value() : Value(key_metric_name);
  if (name == "best_metric") return best_metric;
  if (name == "best_metric_epoch") return Value(best_metric_epoch);
  if (name == "rank") return Value(ranks::rank());
  if (name == "device") return device ? Value(device) : Value();
  if (const Value* v = extra.find(name)) return *v;
  return std::nullopt;
}

void State::set_attribute(std::string_view name, const Value& value) {
  if (name == "epoch") epoch = value.as_int();
  else if (name == "iteration") iteration = value.as_int();
  else if (name == "max_epochs") max_epochs = value.as_int();
  else if (name == "epoch_length") epoch_length = cast<std::optional<std::int64_t>>(value);
  else if (name == "batch") batch = value;
  else if (name == "output") output = value;
  else if (name == "best_metric") best_metric = value;
  else if (name == "best_metric_epoch") best_metric_epoch = value.as_int();
  else extra[name] = value;
}

}  // namespace vesal::infer
