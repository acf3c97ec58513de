// What handlers have in common.
#pragma once
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

/// `flag` as an event's filter: a callable (engine, count) decides each time.
inline EventFilter filter_of(const Value& flag) { return flag.is_object() ? EventFilter{.when = flag} : EventFilter{}; }

/// A number or an array of one element without axes.
inline bool is_scalar(const Value& v) { return v.is_number() || (v.is_array() && v.as_array().dim() == 0); }
inline double scalar_of(const Value& v) { return v.is_array() ? v.as_array().item() : v.as_float(); }

}  // namespace vesal::infer
