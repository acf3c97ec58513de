// Constant padding of the spatial axes.
#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/layout.h"

namespace vesal::engine {
namespace {

bool plan(Planner& planner, const Node& node) {
  const TensorId from = planner.tensor(node.inputs[0]), to = planner.make(node.outputs[0]);
  const kernels::Extents before = per_axis(node, "before", planner.at(from).shape.size() - 2, 0, 0);
  const auto value = static_cast<float>(number(node, "value", 0));
  Step step = step_of(node.op, node, {from}, {to});
  step.run = [before, value, from, to](const Memory& memory) { kernels::pad(memory.at(from), before, value, memory.at(to)); };
  planner.emit(std::move(step));
  return true;
}

const RegisterOperator registered({"pad"}, {plan});

}  // namespace
}  // namespace vesal::engine
