// What an engine remembers between processes.
#include "infer/workflow.h"

namespace vesal::infer {

Value Workflow::memory() const {
  const State& s = state();
  List handlers;
  for (const auto& handler : handlers_) handlers.items.emplace_back(Dict{{"type", handler->type_name()}, {"memory", handler->memory()}});
  return Dict{{"epoch", s.epoch},
              {"iteration", s.iteration},
              {"epoch_length", s.epoch_length ? Value(*s.epoch_length) : Value()},
              {"best_metric", s.best_metric},
              {"best_metric_epoch", s.best_metric_epoch},
              {"terminated", terminate_},
              {"passes", options_.data_loader->passes()},
              {"taken", stream_ ? Value(taken_) : Value()},
              {"handlers", std::move(handlers)}};
}

void Workflow::recall(const Value& memory) {
  const Dict& m = memory.as_dict();
  const auto& handlers = m.at("handlers").items();
  const auto fits = [&] {
    if (handlers.size() != handlers_.size()) return false;
    for (std::size_t i = 0; i < handlers.size(); ++i)
      if (handlers[i].as_dict().at("type").as_string() != handlers_[i]->type_name()) return false;
    return true;
  };
  if (!fits()) throw Error(ErrorKind::weights, "the handlers of " + type_name() + " are not those it was saved with: the configuration has changed");

  State& s = state();
  s.epoch = m.at("epoch").as_int();
  s.iteration = m.at("iteration").as_int();
  s.epoch_length = cast<std::optional<std::int64_t>>(m.at("epoch_length"));
  s.best_metric = m.at("best_metric");
  s.best_metric_epoch = m.at("best_metric_epoch").as_int();
  terminate_ = m.at("terminated").truthy();
  for (std::size_t i = 0; i < handlers.size(); ++i) handlers_[i]->recall(handlers[i].as_dict().at("memory"));

  // An epoch may end within a pass over the data: that pass is opened again and what was taken of it left out.
  const std::int64_t passes = m.at("passes").as_int();
  stream_.reset();
  if (m.at("taken").is_none()) {
    options_.data_loader->set_passes(passes);
  } else {
    options_.data_loader->set_passes(passes - 1);
    taken_ = m.at("taken").as_int();
    stream_ = options_.data_loader->open(taken_);
  }
}

}  // namespace vesal::infer
