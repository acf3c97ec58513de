#include "engine/optimize.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "engine/batch_norm.h"

namespace vesal::engine {
namespace {

void check(const Graph& graph) {
  const auto known = [&](const std::vector<std::size_t>& values) {
    if (std::any_of(values.begin(), values.end(), [&](std::size_t v) { return v >= graph.values.size(); }))
      throw Error(ErrorKind::shape, "a graph of " + std::to_string(graph.values.size()) + " values names another");
  };
  known(graph.inputs);
  known(graph.outputs);
  for (const Node& node : graph.nodes) {
    known(node.inputs);
    known(node.outputs);
    if (node.outputs.empty() || (node.op != "external" && (node.inputs.empty() || node.outputs.size() != 1)))
      throw Error(ErrorKind::shape,
                  node.op + " with " + std::to_string(node.inputs.size()) + " inputs and " + std::to_string(node.outputs.size()) + " outputs");
  }
}

void drop_identities(Graph& graph) {
  std::vector<std::size_t> same(graph.values.size());
  std::iota(same.begin(), same.end(), std::size_t{0});
  for (Node& node : graph.nodes) {
    for (std::size_t& value : node.inputs) value = same[value];
    if (node.op == "identity" && graph.values[node.inputs[0]] == graph.values[node.outputs[0]]) same[node.outputs[0]] = node.inputs[0];
  }
  for (std::size_t& value : graph.outputs) value = same[value];
  std::erase_if(graph.nodes, [&](const Node& node) { return node.op == "identity" && same[node.outputs[0]] != node.outputs[0]; });
}

void drop_unused(Graph& graph) {
  std::vector<bool> used(graph.values.size());
  for (const std::size_t value : graph.outputs) used[value] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](std::size_t value) { return used[value]; })) continue;
    for (const std::size_t value : node->inputs) used[value] = true;
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

/// conv(x) * scale + shift as a convolution.
void fold(Node& conv, const ChannelAffine& affine) {
  Array weight = conv.constants.at("weight").clone();
  float* w = weight.data<float>();
  const bool transposed = integer(conv, "transposed", 0) != 0;
  const std::int64_t groups = integer(conv, "groups", 1), rows = weight.size(0), columns = weight.size(1), inner = weight.numel() / (rows * columns);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t channel = transposed ? r / (rows / groups) * columns + c : r;
      for (std::int64_t i = 0; i < inner; ++i, ++w) *w = static_cast<float>(*w * affine.scale.at(static_cast<std::size_t>(channel)));
    }
  const std::vector<float> old = numbers(conv, "bias");
  Array bias = Array::empty({static_cast<std::int64_t>(affine.scale.size())}, DType::f32);
  for (std::size_t c = 0; c < affine.scale.size(); ++c)
    bias.data<float>()[c] = static_cast<float>((old.empty() ? 0.0 : old.at(c)) * affine.scale[c] + affine.shift[c]);
  conv.constants["weight"] = std::move(weight);
  conv.constants["bias"] = std::move(bias);
}

/// The External of the convolution does not know the batch norm.
External then_affine(External conv, ChannelAffine affine) {
  return [conv = std::move(conv), affine = std::move(affine)](const std::vector<Array>& inputs) {
    std::vector<Array> out;
    for (const Array& array : conv(inputs)) {
      out.push_back(array.clone());
      float* x = out.back().data<float>();
      const std::int64_t inner = array.numel() / static_cast<std::int64_t>(affine.scale.size());
      for (std::size_t c = 0; c < affine.scale.size(); ++c)
        for (std::int64_t i = 0; i < inner; ++i, ++x) *x = static_cast<float>(*x * affine.scale[c] + affine.shift[c]);
    }
    return out;
  };
}

void fold_batch_norms(Graph& graph) {
  std::vector<int> uses(graph.values.size());
  std::vector<Node*> maker(graph.values.size());
  for (const std::size_t value : graph.outputs) ++uses[value];
  for (const Node& node : graph.nodes)
    for (const std::size_t value : node.inputs) ++uses[value];
  for (Node& node : graph.nodes) {
    if (node.op == "batch_norm") {
      Node* conv = maker[node.inputs[0]];
      if (conv && conv->op == "conv" && uses[node.inputs[0]] == 1) {
        const ChannelAffine affine = batch_norm_affine(node);
        if (static_cast<std::int64_t>(affine.scale.size()) != graph.values[node.inputs[0]].at(1))
          throw Error(ErrorKind::shape, "batch_norm of " + std::to_string(affine.scale.size()) + " channels");
        fold(*conv, affine);
        if (conv->external) conv->external = then_affine(std::move(conv->external), affine);
        conv->outputs = node.outputs;
        node.op.clear();
        maker[conv->outputs[0]] = conv;
        continue;
      }
    }
    for (const std::size_t value : node.outputs) maker[value] = &node;
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.op.empty(); });
}

/// Without it the sums of an instance norm have less to cancel.
void drop_biases(Graph& graph) {
  std::vector<int> uses(graph.values.size()), norms(graph.values.size());
  for (const std::size_t value : graph.outputs) ++uses[value];
  for (const Node& node : graph.nodes)
    for (const std::size_t value : node.inputs) {
      ++uses[value];
      if (node.op == "instance_norm") ++norms[value];
    }
  for (Node& node : graph.nodes)
    if (node.op == "conv" && uses[node.outputs[0]] == norms[node.outputs[0]]) node.constants.erase("bias");
}

}  // namespace

Graph optimize(Graph graph) {
  check(graph);
  drop_identities(graph);
  drop_unused(graph);
  fold_batch_norms(graph);
  drop_biases(graph);
  return graph;
}

}  // namespace vesal::engine
