// What handlers have in common.
#pragma once
#include <map>
#include <string>

#include "bundle/expr_runtime.h"
#include "infer/workflow.h"

namespace vesal::infer {

/// object.method(args...), as an expression would call it.
inline Value call_method(const Value& object, const std::string& method, const CallArgs& args = {}) {
  return bundle::expr::call(bundle::expr::attribute(object, method), args);
}

/// The network inside a DistributedDataParallel, whose weights have the names of the network itself; anything else as it is.
inline Value unwrapped(const Value& object) {
  if (!object.is_object() || object.as_object()->type_name() != "DistributedDataParallel") return object;
  return object.as_object()->attribute("module").value_or(object);
}

/// The engine a handler was called with: handler(engine).
inline std::shared_ptr<Workflow> engine_of(const std::string& handler, const CallArgs& args) {
  return bind(handler, {required("engine", "a trainer or evaluator")}, args).get<std::shared_ptr<Workflow>>("engine");
}

/// `flag` as an event's filter: a callable (engine, count) decides each time, a number n takes every n-th.
inline EventFilter filter_of(const Value& flag) {
  if (flag.is_object()) return EventFilter{.when = flag};
  return flag.is_int() && flag.as_int() > 1 ? EventFilter{.every = flag.as_int()} : EventFilter{};
}

/// A number or an array of one element without axes.
inline bool is_scalar(const Value& v) { return v.is_number() || (v.is_array() && v.as_array().dim() == 0); }
inline double scalar_of(const Value& v) { return v.is_array() ? v.as_array().item() : v.as_float(); }

/// The numbers of an iteration by name: those that the argument output_transform (else the first item) makes of the engine's output, a dict of
/// numbers or one called as tag_name says.
inline std::map<std::string, double> iteration_scalars(const Args& args, Value output) {
  if (!args.is_none("output_transform")) output = call_value(args["output_transform"], {{output}, {}});
  else if (output.is_sequence() && !output.items().empty()) output = output.items()[0];
  std::map<std::string, double> scalars;
  if (is_scalar(output)) scalars[args.get<std::string>("tag_name")] = scalar_of(output);
  if (!output.is_dict()) return scalars;
  for (const auto& [name, value] : output.as_dict())
    if (is_scalar(value)) scalars[name.str()] = scalar_of(value);
  return scalars;
}

}  // namespace vesal::infer
