#include <array>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/upsample.h"

namespace vesal::engine {
namespace {

bool plan(Planner& planner, const Node& node) {
  const TensorId from = planner.tensor(node.inputs[0]), to = planner.make(node.outputs[0]);
  const Tensor &in = planner.at(from), &out = planner.at(to);
  const std::size_t missing = 5 - in.shape.size();
  const auto scales = node.floats.find("scale");
  const bool linear = integer(node, "linear", 0) != 0, align_corners = integer(node, "align_corners", 0) != 0;
  std::array<kernels::UpsampleAxis, 3> axes;
  for (std::size_t a = 0; a < 3; ++a) {
    std::optional<double> scale;
    if (a >= missing && scales != node.floats.end() && a - missing < scales->second.size()) scale = scales->second[a - missing];
    axes[a] = linear ? kernels::UpsampleAxis::linear(in.extents[a], out.extents[a], scale, align_corners)
                     : kernels::UpsampleAxis::nearest(in.extents[a], out.extents[a], scale);
  }
  Step step = step_of(linear ? "upsample linear" : "upsample nearest", node, {from}, {to});
  step.run = [axes, from, to](const Memory& memory) { kernels::upsample(memory.at(from), axes, memory.at(to)); };
  planner.emit(std::move(step));
  return true;
}

const RegisterOperator registered({"upsample"}, {plan});

}  // namespace
}  // namespace vesal::engine
