// add, sub, mul: of two values, of a value and one number per channel, of a value and a number.
#include <algorithm>

#include "engine/arithmetic.h"
#include "engine/attributes.h"
#include "engine/planner.h"
#include "engine/pointwise_of.h"
#include "kernels/map_channels.h"

namespace vesal::engine {

bool is_plain_sum(const Graph& graph, const Node& node) {
  return node.op == "add" && node.inputs.size() == 2 && node.inputs[0] != node.inputs[1] &&
         graph.values[node.inputs[0]] == graph.values[node.inputs[1]] && number(node, "alpha", 1) == 1;
}

namespace {

/// x + s, x - s or x * s, pending.
void plan_scalar(Planner& planner, const Node& node) {
  const double s = number(node, "scalar", 0), alpha = number(node, "alpha", 1);
  const std::size_t channels = static_cast<std::size_t>(planner.shape(node.inputs[0])[1]);
  auto map = std::make_shared<Coefficients>(static_cast<std::int64_t>(channels));
  std::fill_n(map->scale.begin(), channels, node.op == "mul" ? static_cast<float>(s) : 1);
  std::fill_n(map->shift.begin(), channels, node.op == "mul" ? 0 : static_cast<float>(node.op == "add" ? alpha * s : -alpha * s));
  planner.defer(node, node.op, std::move(map), {});
}

/// a + factor * b, and an activation that follows: what is pending on one of the two is done on the way.
void plan_sum(Planner& planner, const Node& node, double factor) {
  ValueId kept = node.inputs[0], mapped = node.inputs[1];
  if (factor == 1 && planner.pending(mapped).plain()) std::swap(kept, mapped);
  // A norm that is pending on the other one is done on the way too.
  if (!planner.pending(kept).after.is_identity() || !planner.sole_consumer(kept)) planner.tensor(kept);
  const Operand other = planner.pending(kept);
  const TensorId residual = other.tensor;
  if (factor != 1 || !planner.sole_consumer(mapped)) planner.tensor(mapped);
  const Operand o = planner.pending(mapped);
  kernels::MapCall call;
  call.map.after = o.after;
  call.residual_after = !o.after.is_identity();
  std::shared_ptr<Coefficients> map = o.map;
  if (factor != 1) {
    map = std::make_shared<Coefficients>(planner.at(o.tensor).channels);
    std::fill_n(map->scale.begin(), planner.at(o.tensor).channels, static_cast<float>(factor));
  }
  std::string what = node.op;
  for (const Operand* operand : {&other, &o})
    if (!operand->pending.empty()) what = operand->pending + " + " + what;
  ValueId value = node.outputs[0];
  const Node* next = planner.sole_consumer(value);
  if (const auto f = next ? pointwise_of(*next) : std::nullopt; f && !call.residual_after) {
    call.map.after = *f;
    what += " + " + next->op;
    value = next->outputs[0];
    planner.absorb(*next);
  }
  const TensorId to = planner.make(value);
  call.statistics = planner.statistics(value, to);
  Step step = step_of(what, node, {o.tensor, residual}, {to});
  step.may_overwrite = {o.tensor, residual};
  step.run = [call, map, other_map = other.map, sums = planner.at(to).statistics, from = o.tensor, residual, to](const Memory& memory) mutable {
    if (map) call.map.scale = map->scale.data(), call.map.shift = map->shift.data();
    if (other_map) call.residual_scale = other_map->scale.data(), call.residual_shift = other_map->shift.data();
    call.in = memory.at(from);
    call.residual = memory.at(residual);
    call.out = memory.at(to);
    kernels::map_channels(call);
  };
  planner.emit(std::move(step));
}

void plan_pair(Planner& planner, const Node& node, ValueId first, ValueId second) {
  const TensorId a = planner.tensor(first), b = planner.tensor(second), to = planner.make(node.outputs[0]);
  const auto operation = node.op == "mul" ? kernels::Operation::multiply : node.op == "add" ? kernels::Operation::add : kernels::Operation::subtract;
  Step step = step_of(node.op, node, {a, b}, {to});
  step.may_overwrite = {a};
  step.run = [operation, a, b, to](const Memory& memory) { kernels::combine(operation, memory.at(a), memory.at(b), memory.at(to)); };
  planner.emit(std::move(step));
}

/// [1, C, 1...] beside [1, C, ...].
bool per_channel(const Shape& small, const Shape& whole) {
  return small.size() == whole.size() && small[1] == whole[1] && std::all_of(small.begin() + 2, small.end(), [](std::int64_t e) { return e == 1; });
}

bool plan(Planner& planner, const Node& node) {
  if (node.inputs.size() == 1) {
    plan_scalar(planner, node);
    return true;
  }
  ValueId a = node.inputs[0], b = node.inputs[1];
  const double alpha = number(node, "alpha", 1);
  const bool equal = planner.shape(a) == planner.shape(b);
  if (equal && node.op != "mul") {
    plan_sum(planner, node, node.op == "sub" ? -alpha : alpha);
    return true;
  }
  if (node.op != "mul" && alpha != 1) return false;
  if (node.op != "sub" && planner.shape(b) == planner.shape(node.outputs[0])) std::swap(a, b);
  if (planner.shape(a) != planner.shape(node.outputs[0]) || (!equal && !per_channel(planner.shape(b), planner.shape(a)))) return false;
  plan_pair(planner, node, a, b);
  return true;
}

const RegisterOperator registered({"add", "sub", "mul"}, {plan});

}  // namespace
}  // namespace vesal::engine
