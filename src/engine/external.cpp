// Nodes that run outside of the engine, on dense arrays.
#include "base/error.h"
#include "engine/planner.h"
#include "kernels/layout.h"

namespace vesal::engine {
namespace {

/// What the External gets: the activations where they lie if they are planar, else a dense copy.
Array dense_array(const kernels::Activations& a, const Shape& shape) {
  if (a.planar) return Array::wrap(a.data, shape, DType::f32, nullptr);
  Array array = Array::empty(shape, DType::f32);
  kernels::copy_channels(a, kernels::dense(array.data<float>(), a.channels, a.extents));
  return array;
}

void take(const Array& result, const kernels::Activations& to, const Shape& shape) {
  if (result.shape() != shape || result.dtype() != DType::f32)
    throw Error(ErrorKind::shape, "an external result of shape " + to_string(result.shape()) + ", want " + to_string(shape) + " of float32");
  Array array = result.contiguous();
  kernels::copy_channels(kernels::dense(array.data<float>(), to.channels, to.extents), to);
}

}  // namespace

void plan_external(Planner& planner, const Node& node, const std::string& why) {
  if (!node.external) throw Error(ErrorKind::unsupported, why + ", and nothing else runs it");
  std::vector<TensorId> reads, writes;
  for (const ValueId value : node.inputs) reads.push_back(planner.tensor(value));
  for (const ValueId value : node.outputs) writes.push_back(planner.make(value));
  std::vector<Shape> in, out;
  for (const TensorId id : reads) in.push_back(planner.at(id).shape);
  for (const TensorId id : writes) out.push_back(planner.at(id).shape);
  Step step = step_of(node.op, node, reads, writes);
  step.external = why;
  step.run = [external = node.external, reads, writes, in, out, label = node.label](const Memory& memory) {
    with_context(label, [&] {
      std::vector<Array> inputs;
      for (std::size_t i = 0; i < reads.size(); ++i) inputs.push_back(dense_array(memory.at(reads[i]), in[i]));
      const std::vector<Array> results = external(inputs);
      if (results.size() != writes.size()) throw Error(ErrorKind::internal, std::to_string(results.size()) + " external results");
      for (std::size_t i = 0; i < writes.size(); ++i) take(results[i], memory.at(writes[i]), out[i]);
    });
  };
  planner.emit(std::move(step));
}

}  // namespace vesal::engine
