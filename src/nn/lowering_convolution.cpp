// Convolutions, plain and transposed, for the engine.
#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

struct Steps {
  Shape stride, padding, dilation, output_padding;
  std::int64_t groups = 1;
  bool transposed = false;
};

std::optional<Lowered> convolution(const OpCall& call, const Steps& s) {
  const std::optional<Array> weight = call.constant("weight"), bias = call.constant("bias");
  const Shape& in = call.shape("input");
  if (!weight || weight->dim() != static_cast<int>(in.size()) || (!bias && !call.is_none("bias"))) return std::nullopt;
  Lowered out;
  out.node.op = "conv";
  out.node.inputs = {call.tensor("input")};
  out.node.constants["weight"] = *weight;
  if (bias) out.node.constants["bias"] = *bias;
  out.node.ints = {{"stride", s.stride},   {"padding", s.padding},        {"dilation", s.dilation}, {"output_padding", s.output_padding},
                   {"groups", {s.groups}}, {"transposed", {s.transposed}}};
  out.shape = {1, s.transposed ? weight->size(1) * s.groups : weight->size(0)};
  if (in[1] != (s.transposed ? weight->size(0) : weight->size(1) * s.groups)) return std::nullopt;
  for (std::size_t i = 0; i + 2 < in.size(); ++i) {
    const std::int64_t reach = s.dilation[i] * (weight->size(static_cast<int>(i) + 2) - 1);
    if (s.transposed) out.shape.push_back((in[i + 2] - 1) * s.stride[i] - 2 * s.padding[i] + reach + s.output_padding[i] + 1);
    else out.shape.push_back((in[i + 2] + 2 * s.padding[i] - reach - 1) / s.stride[i] + 1);
    if (in[i + 2] + 2 * s.padding[i] <= reach && !s.transposed) return std::nullopt;
    if (out.shape.back() < 1) return std::nullopt;
  }
  return out;
}

/// The padding in numbers; nothing where "same" needs more on one side than on the other.
std::optional<Shape> padding_of(const OpCall& call, int axes, const Shape& dilation) {
  const std::optional<std::string> word = call.text("padding");
  if (!word) return call.per_axis("padding", axes);
  Shape padding(static_cast<std::size_t>(axes), 0);
  if (*word == "valid") return padding;
  const std::optional<Array> weight = call.constant("weight");
  if (*word != "same" || !weight || weight->dim() != axes + 2) return std::nullopt;
  for (int i = 0; i < axes; ++i) {
    const std::int64_t reach = dilation[static_cast<std::size_t>(i)] * (weight->size(i + 2) - 1);
    if (reach % 2 != 0) return std::nullopt;
    padding[static_cast<std::size_t>(i)] = reach / 2;
  }
  return padding;
}

std::optional<Lowered> lower(const OpCall& call, bool transposed) {
  if (!call.is_tensor("input")) return std::nullopt;
  const int axes = call.spatial_axes("input");
  const auto stride = call.per_axis("stride", axes), dilation = call.per_axis("dilation", axes);
  if (!stride || !dilation) return std::nullopt;
  const auto padding = padding_of(call, axes, *dilation);
  const Shape none(static_cast<std::size_t>(axes), 0);
  const auto output_padding = call.find("output_padding") ? call.per_axis("output_padding", axes) : std::optional(none);
  if (!padding || !output_padding) return std::nullopt;
  return convolution(call, {*stride, *padding, *dilation, *output_padding, call.integer("groups").value_or(1), transposed});
}

const RegisterLowering plain({"conv1d", "conv2d", "conv3d"}, [](const OpCall& call) { return lower(call, false); });
const RegisterLowering transposed({"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}, [](const OpCall& call) { return lower(call, true); });
const RegisterLowering either({"convolution", "_convolution"}, [](const OpCall& call) { return lower(call, call.flag("transposed")); });

}  // namespace
}  // namespace vesal::nn
