#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/channel_softmax.h"

namespace vesal::engine {
namespace {

bool plan(Planner& planner, const Node& node) {
  if (integer(node, "axis", 1) != 1) return false;
  const TensorId from = planner.tensor(node.inputs[0]), to = planner.make(node.outputs[0]);
  Step step = step_of(node.op, node, {from}, {to});
  step.may_overwrite = {from};
  step.run = [from, to](const Memory& memory) { kernels::channel_softmax(memory.at(from), memory.at(to)); };
  planner.emit(std::move(step));
  return true;
}

const RegisterOperator registered({"softmax"}, {plan});

}  // namespace
}  // namespace vesal::engine
