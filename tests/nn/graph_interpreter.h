// What an engine::Graph means, operator by operator in libtorch: the reading the lowering is tested against.
#pragma once
#include <torch/torch.h>

#include "engine/graph.h"
#include "nn/tensor.h"

namespace vesal::tests {

using nn::shape_of;
using nn::Tensor;
using nn::Tensors;
using nn::to_array;
using nn::to_tensor;

class GraphInterpreter {
 public:
  explicit GraphInterpreter(const engine::Graph& graph) : graph_(graph) {}

  Tensors run(const Tensor& input) {
    const torch::NoGradGuard no_grad;
    values_.assign(graph_.values.size(), Tensor());
    values_.at(graph_.inputs.at(0)) = input;
    for (const engine::Node& node : graph_.nodes) {
      Tensors made;
      if (node.op == "external") {
        std::vector<Array> arrays;
        for (const std::size_t i : node.inputs) arrays.push_back(to_array(values_.at(i).contiguous()));
        for (const Array& array : node.external(arrays)) made.push_back(to_tensor(array));
      } else {
        made = {one(node)};
      }
      TORCH_CHECK(made.size() == node.outputs.size(), node.label, " makes another number of values");
      for (std::size_t i = 0; i < made.size(); ++i) {
        TORCH_CHECK(shape_of(made[i]) == graph_.values.at(node.outputs[i]), node.op, " makes ", made[i].sizes(), ", the graph says ",
                    to_string(graph_.values.at(node.outputs[i])));
        TORCH_CHECK(!values_.at(node.outputs[i]).defined(), node.label, " makes a value a second time");
        values_[node.outputs[i]] = made[i];
      }
    }
    Tensors outputs;
    for (const std::size_t i : graph_.outputs) outputs.push_back(values_.at(i));
    return outputs;
  }

 private:
  Tensor constant(const engine::Node& node, const char* name) {
    const auto found = node.constants.find(name);
    return found == node.constants.end() ? Tensor() : to_tensor(found->second);
  }

  Tensor one(const engine::Node& node) {
    const auto ints = [&](const char* name) { return node.ints.at(name); };
    const auto number = [&](const char* name) { return node.floats.at(name).at(0); };
    const Tensor& x = values_.at(node.inputs.at(0));
    const int axes = static_cast<int>(x.dim()) - 2;
    const std::string& op = node.op;
    if (op == "conv")
      return torch::convolution(x, constant(node, "weight"), constant(node, "bias"), ints("stride"), ints("padding"), ints("dilation"),
                                ints("transposed")[0] != 0, ints("output_padding"), ints("groups")[0]);
    if (op == "batch_norm")
      return torch::batch_norm(x, constant(node, "weight"), constant(node, "bias"), constant(node, "mean"), constant(node, "variance"), false, 0,
                               number("eps"), false);
    if (op == "instance_norm")
      return torch::instance_norm(x, constant(node, "weight"), constant(node, "bias"), {}, {}, true, 0, number("eps"), false);
    if (op == "group_norm") return torch::group_norm(x, ints("groups")[0], constant(node, "weight"), constant(node, "bias"), number("eps"));
    if (op == "relu") return torch::relu(x);
    if (op == "sigmoid") return torch::sigmoid(x);
    if (op == "tanh") return torch::tanh(x);
    if (op == "silu") return torch::silu(x);
    if (op == "leaky_relu") return torch::leaky_relu(x, number("slope"));
    if (op == "elu") return torch::elu(x, number("slope"));
    if (op == "prelu") return torch::prelu(x, constant(node, "weight"));
    if (op == "add" || op == "sub" || op == "mul") {
      if (node.inputs.size() == 1) return op == "mul" ? x * number("scalar") : x + (op == "sub" ? -1 : 1) * number("scalar");
      const Tensor& y = values_.at(node.inputs.at(1));
      return op == "mul" ? x * y : op == "sub" ? x - y : torch::add(x, y, number("alpha"));
    }
    if (op == "cat") {
      Tensors parts;
      for (const std::size_t i : node.inputs) parts.push_back(values_.at(i));
      return torch::cat(parts, 1);
    }
    if (op == "max_pool") {
      const bool ceil = ints("ceil_mode")[0] != 0;
      if (axes == 1) return torch::max_pool1d(x, ints("kernel"), ints("stride"), ints("padding"), ints("dilation"), ceil);
      if (axes == 2) return torch::max_pool2d(x, ints("kernel"), ints("stride"), ints("padding"), ints("dilation"), ceil);
      return torch::max_pool3d(x, ints("kernel"), ints("stride"), ints("padding"), ints("dilation"), ceil);
    }
    if (op == "avg_pool") {
      const bool ceil = ints("ceil_mode")[0] != 0, count = ints("count_include_pad")[0] != 0;
      if (axes == 1) return torch::avg_pool1d(x, ints("kernel"), ints("stride"), ints("padding"), ceil, count);
      if (axes == 2) return torch::avg_pool2d(x, ints("kernel"), ints("stride"), ints("padding"), ceil, count);
      return torch::avg_pool3d(x, ints("kernel"), ints("stride"), ints("padding"), ceil, count);
    }
    if (op == "adaptive_avg_pool") {
      if (axes == 1) return torch::adaptive_avg_pool1d(x, ints("size"));
      if (axes == 2) return torch::adaptive_avg_pool2d(x, ints("size"));
      return torch::adaptive_avg_pool3d(x, ints("size"));
    }
    if (op == "upsample") return upsample(node, x, axes);
    if (op == "softmax") return torch::softmax(x, 1);
    if (op == "pad") {
      Shape amounts;
      for (int i = axes; i-- > 0;) amounts.insert(amounts.end(), {ints("before")[i], ints("after")[i]});
      return torch::constant_pad_nd(x, amounts, number("value"));
    }
    if (op == "identity") return x;
    TORCH_CHECK(false, "an operator the contract does not have: ", op);
  }

  static Tensor upsample(const engine::Node& node, const Tensor& x, int axes) {
    const Shape size = node.ints.at("size");
    const bool linear = node.ints.at("linear")[0] != 0, align = node.ints.at("align_corners")[0] != 0;
    const std::vector<double>& scale = node.floats.at("scale");
    const auto s = [&](std::size_t i) { return scale.empty() ? c10::optional<double>() : c10::optional<double>(scale[i]); };
    if (axes == 1) return linear ? torch::upsample_linear1d(x, size, align, s(0)) : torch::upsample_nearest1d(x, size, s(0));
    if (axes == 2) return linear ? torch::upsample_bilinear2d(x, size, align, s(0), s(1)) : torch::upsample_nearest2d(x, size, s(0), s(1));
    return linear ? torch::upsample_trilinear3d(x, size, align, s(0), s(1), s(2)) : torch::upsample_nearest3d(x, size, s(0), s(1), s(2));
  }

  const engine::Graph& graph_;
  Tensors values_;
};

}  // namespace vesal::tests
