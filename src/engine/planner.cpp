#include "engine/planner.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/layout.h"
#include "kernels/map_channels.h"

namespace vesal::engine {
namespace {

/// The form in which the engine has a value of this shape.
Tensor tensor_of(const Shape& shape) {
  Tensor t;
  t.shape = shape;
  if (shape.size() < 2 || shape.size() > 5 || shape[0] != 1) {
    t.channels = 1;
    t.extents = {1, 1, numel_of(shape)};
    t.planar = true;
    return t;
  }
  t.channels = shape[1];
  std::copy(shape.begin() + 2, shape.end(), t.extents.end() - static_cast<std::ptrdiff_t>(shape.size() - 2));
  t.planar = t.channels <= kernels::kMostPlanarChannels;
  return t;
}

std::map<std::string, Operator>& table() {
  static std::map<std::string, Operator> t;
  return t;
}

void copy_step(Planner& planner, const std::string& what, TensorId from, TensorId to) {
  Step step{.what = what, .reads = {from}, .writes = {to}};
  step.run = [from, to](const Memory& memory) { kernels::copy_channels(memory.at(from), memory.at(to)); };
  planner.emit(std::move(step));
}

}  // namespace

namespace operators {
const Operator* find(const std::string& op) {
  const auto found = table().find(op);
  return found == table().end() ? nullptr : &found->second;
}
void add(const std::string& op, Operator o) { table()[op] = o; }
}  // namespace operators

Step step_of(const std::string& what, const Node& node, std::vector<TensorId> reads, std::vector<TensorId> writes) {
  return {.what = what, .label = node.label, .reads = std::move(reads), .writes = std::move(writes)};
}

Planner::Planner(const Graph& graph, const EngineOptions& options)
    : graph_(graph), options_(options), operands_(graph.values.size()), consumers_(graph.values.size()), is_output_(graph.values.size()) {
  for (const Node& node : graph.nodes)
    for (const ValueId value : node.inputs)
      if (std::find(consumers_[value].begin(), consumers_[value].end(), &node) == consumers_[value].end()) consumers_[value].push_back(&node);
  for (const ValueId value : graph.outputs) is_output_[value] = true;
}

Plan Planner::plan() {
  take_inputs();
  for (const Node& node : graph_.nodes)
    if (!absorbed_.contains(&node)) with_context(node.label.empty() ? node.op : node.label, [&] { plan_node(node); });
  give_outputs();
  place(plan_);
  return std::move(plan_);
}

void Planner::plan_node(const Node& node) {
  for (const ValueId value : node.inputs)
    if (!known(value)) throw Error(ErrorKind::shape, node.op + " takes a value that nothing makes before it");
  const Operator* op = operators::find(node.op);
  if (node.op == "external") plan_external(*this, node, "no operator of the engine");
  else if (!op) plan_external(*this, node, "the engine has no " + node.op);
  else if (!spatial(node) || !op->plan(*this, node)) plan_external(*this, node, "the engine has no such " + node.op);
}

/// Dense inputs are activations as they are if they are planar.
void Planner::take_inputs() {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    Tensor given = tensor_of(shape(graph_.inputs[i]));
    given.planar = true;
    given.home = Home::input;
    given.index = i;
    const TensorId id = add(std::move(given));
    if (tensor_of(shape(graph_.inputs[i])).planar) set(graph_.inputs[i], {.tensor = id});
    else copy_step(*this, "input", id, make(graph_.inputs[i]));
  }
}

/// A planar output is written where the caller wants it, if nothing else decides where it lies.
void Planner::give_outputs() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    if (!known(graph_.outputs[i])) throw Error(ErrorKind::shape, "an output that nothing makes");
    const TensorId id = tensor(graph_.outputs[i]);
    Tensor& t = at(id);
    if (t.planar && !t.inside && t.home == Home::arena) {
      t.home = Home::output;
      t.index = i;
      continue;
    }
    Tensor wanted = t;
    wanted.planar = true;
    wanted.inside.reset();
    wanted.home = Home::output;
    wanted.index = i;
    copy_step(*this, "output", id, add(std::move(wanted)));
  }
}

bool Planner::spatial(ValueId value) const {
  const Shape& s = shape(value);
  return s.size() >= 2 && s.size() <= 5 && s[0] == 1 && numel_of(s) > 0;
}

bool Planner::spatial(const Node& node) const {
  const auto all = [&](const std::vector<ValueId>& values) {
    return std::all_of(values.begin(), values.end(), [&](ValueId value) { return spatial(value); });
  };
  return all(node.inputs) && all(node.outputs);
}

TensorId Planner::add(Tensor tensor) {
  plan_.tensors.push_back(std::move(tensor));
  return plan_.tensors.size() - 1;
}

TensorId Planner::make(ValueId value) {
  const TensorId id = add(tensor_of(shape(value)));
  set(value, {.tensor = id});
  return id;
}

TensorId Planner::make_planes(ValueId value) {
  const TensorId id = make(value);
  at(id).planar = true;
  return id;
}

bool Planner::all_take_pending(ValueId value) {
  if (is_output_[value]) return false;
  return std::all_of(consumers_[value].begin(), consumers_[value].end(), [&](const Node* node) {
    const Operator* op = operators::find(node->op);
    return op && op->takes_pending && spatial(*node) && op->takes_pending(*this, *node, value);
  });
}

Operand Planner::operand(ValueId value) {
  if (!pending(value).plain() && !all_take_pending(value)) tensor(value);
  return pending(value);
}

TensorId Planner::tensor(ValueId value) {
  const Operand o = pending(value);
  if (o.plain()) return o.tensor;
  const TensorId id = make(value);
  Step step{.what = o.pending, .label = o.label, .reads = {o.tensor}, .writes = {id}, .may_overwrite = {o.tensor}};
  kernels::MapCall call;
  call.map.after = o.after;
  call.statistics = statistics(value, id);
  step.run = [call, map = o.map, sums = at(id).statistics, from = o.tensor, id](const Memory& memory) mutable {
    if (map) call.map.scale = map->scale.data(), call.map.shift = map->shift.data();
    call.in = memory.at(from);
    call.out = memory.at(id);
    kernels::map_channels(call);
  };
  emit(std::move(step));
  return id;
}

void Planner::defer(const Node& node, const std::string& what, std::shared_ptr<Coefficients> map, kernels::Pointwise after) {
  const ValueId from = node.inputs[0];
  const Operand& before = pending(from);
  if (!before.after.is_identity() || (map && before.map)) tensor(from);
  Operand o = pending(from);
  o.pending += (o.pending.empty() ? "" : " + ") + what;
  o.label = node.label;
  if (map) o.map = std::move(map);
  o.after = std::move(after);
  set(node.outputs[0], std::move(o));
}

const Node* Planner::sole_consumer(ValueId value) const {
  return is_output_[value] || consumers_[value].size() != 1 ? nullptr : consumers_[value][0];
}

double* Planner::statistics(ValueId value, TensorId id) {
  const bool wanted = std::any_of(consumers_[value].begin(), consumers_[value].end(), [&](const Node* node) {
    const Operator* op = operators::find(node->op);
    return op && op->wants_statistics && spatial(*node);
  });
  if (!wanted) return nullptr;
  at(id).statistics = std::make_shared<Statistics>(static_cast<std::size_t>(2 * kernels::kBlock * kernels::blocks(at(id).channels)));
  return at(id).statistics->data();
}

}  // namespace vesal::engine
