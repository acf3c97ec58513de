// Normalizations for the engine.
#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

/// The node with weight, bias and eps; nothing if one of them is no constant.
std::optional<Lowered> norm(const OpCall& call, const char* op, const std::vector<std::pair<const char*, const char*>>& constants) {
  if (!call.is_tensor("input")) return std::nullopt;
  Lowered out;
  out.node.op = op;
  out.node.inputs = {call.tensor("input")};
  out.shape = call.shape("input");
  for (const auto& [name, argument] : constants) {
    if (call.is_none(argument)) continue;
    const std::optional<Array> values = call.constant(argument);
    if (!values || values->numel() != out.shape[1]) return std::nullopt;
    out.node.constants[name] = *values;
  }
  const std::optional<double> eps = call.number("eps");
  if (!eps) return std::nullopt;
  out.node.floats["eps"] = {*eps};
  return out;
}

std::optional<Lowered> by_kept_statistics(const OpCall& call) {
  if (call.is_none("running_mean") || call.is_none("running_var")) return std::nullopt;
  return norm(call, "batch_norm", {{"weight", "weight"}, {"bias", "bias"}, {"mean", "running_mean"}, {"variance", "running_var"}});
}

const RegisterLowering batch({"batch_norm"}, [](const OpCall& call) { return call.flag("training") ? std::nullopt : by_kept_statistics(call); });
// With statistics of its own and kept ones it would be training.
const RegisterLowering instance({"instance_norm"}, [](const OpCall& call) -> std::optional<Lowered> {
  if (!call.flag("use_input_stats")) return by_kept_statistics(call);
  if (!call.is_none("running_mean")) return std::nullopt;
  return norm(call, "instance_norm", {{"weight", "weight"}, {"bias", "bias"}});
});
const RegisterLowering group({"group_norm"}, [](const OpCall& call) -> std::optional<Lowered> {
  std::optional<Lowered> out = norm(call, "group_norm", {{"weight", "weight"}, {"bias", "bias"}});
  const std::optional<std::int64_t> groups = call.integer("num_groups");
  if (!out || !groups || *groups < 1 || out->shape[1] % *groups != 0) return std::nullopt;
  out->node.ints["groups"] = {*groups};
  return out;
});

}  // namespace
}  // namespace vesal::nn
