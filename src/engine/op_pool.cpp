// Pooling: largest, mean, mean to a given size.
#include <algorithm>
#include <array>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/pool.h"

namespace vesal::engine {
namespace {

kernels::Extents extents_of(const Shape& shape) {
  kernels::Extents e{1, 1, 1};
  std::copy(shape.begin() + 2, shape.end(), e.end() - (shape.end() - shape.begin() - 2));
  return e;
}

std::array<kernels::PoolAxis, 3> axes_of(const Node& node, const Shape& in_shape, const Shape& out_shape) {
  const kernels::Extents in = extents_of(in_shape), out = extents_of(out_shape);
  const std::size_t axes = in_shape.size() - 2;
  std::array<kernels::PoolAxis, 3> tables;
  if (node.op == "adaptive_avg_pool") {
    for (std::size_t a = 0; a < 3; ++a) tables[a] = kernels::PoolAxis::adaptive(in[a], out[a]);
    return tables;
  }
  const auto stride_list = node.ints.find("stride");
  const kernels::Extents kernel = per_axis(node, "kernel", axes, 1, 1), padding = per_axis(node, "padding", axes, 0, 0),
                         dilation = per_axis(node, "dilation", axes, 1, 1),
                         stride = stride_list == node.ints.end() || stride_list->second.empty() ? kernel : per_axis(node, "stride", axes, 1, 1);
  for (std::size_t a = 0; a < 3; ++a)
    tables[a] = kernels::PoolAxis::windows(in[a], out[a], kernel[a], stride[a], padding[a], dilation[a], integer(node, "count_include_pad", 1) != 0);
  return tables;
}

bool plan(Planner& planner, const Node& node) {
  const std::array<kernels::PoolAxis, 3> tables = axes_of(node, planner.shape(node.inputs[0]), planner.shape(node.outputs[0]));
  if (std::any_of(tables.begin(), tables.end(), [](const kernels::PoolAxis& axis) { return axis.has_empty(); })) return false;
  const TensorId from = planner.tensor(node.inputs[0]), to = planner.make(node.outputs[0]);
  const bool max = node.op == "max_pool";
  Step step = step_of(node.op, node, {from}, {to});
  step.run = [tables, max, from, to](const Memory& memory) { (max ? kernels::max_pool : kernels::avg_pool)(memory.at(from), tables, memory.at(to)); };
  planner.emit(std::move(step));
  return true;
}

const RegisterOperator registered({"max_pool", "avg_pool", "adaptive_avg_pool"}, {plan});

}  // namespace
}  // namespace vesal::engine
