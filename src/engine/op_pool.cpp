// Pooling: largest, mean, mean to a given size.
#include <array>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/pool.h"

namespace vesal::engine {
namespace {

bool plan(Planner& planner, const Node& node) {
  const TensorId from = planner.tensor(node.inputs[0]), to = planner.make(node.outputs[0]);
  const Tensor &in = planner.at(from), &out = planner.at(to);
  const std::size_t axes = in.shape.size() - 2;
  const bool max = node.op == "max_pool";
  std::array<kernels::PoolAxis, 3> tables;
  if (node.op == "adaptive_avg_pool") {
    for (std::size_t a = 0; a < 3; ++a) tables[a] = kernels::PoolAxis::adaptive(in.extents[a], out.extents[a]);
  } else {
    const kernels::Extents kernel = per_axis(node, "kernel", axes, 1, 1), padding = per_axis(node, "padding", axes, 0, 0),
                           dilation = per_axis(node, "dilation", axes, 1, 1),
                           stride = node.ints.contains("stride") && !node.ints.at("stride").empty() ? per_axis(node, "stride", axes, 1, 1) : kernel;
    for (std::size_t a = 0; a < 3; ++a)
      tables[a] = kernels::PoolAxis::windows(in.extents[a], out.extents[a], kernel[a], stride[a], padding[a], dilation[a],
                                             integer(node, "count_include_pad", 1) != 0);
  }
  Step step = step_of(node.op, node, {from}, {to});
  step.run = [tables, max, from, to](const Memory& memory) { (max ? kernels::max_pool : kernels::avg_pool)(memory.at(from), tables, memory.at(to)); };
  planner.emit(std::move(step));
  return true;
}

const RegisterOperator registered({"max_pool", "avg_pool", "adaptive_avg_pool"}, {plan});

}  // namespace
}  // namespace vesal::engine
