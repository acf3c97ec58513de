// Functions of one number, sums and products for the engine.
#include <algorithm>
#include <cmath>

#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

std::optional<Lowered> function(const OpCall& call, const char* op) {
  if (!call.is_tensor("self")) return std::nullopt;
  Lowered out;
  out.node.op = op;
  out.node.inputs = {call.tensor("self")};
  out.shape = call.shape("self");
  return out;
}

const RegisterLowering relu({"relu"}, [](const OpCall& call) { return function(call, "relu"); });
const RegisterLowering sigmoid({"sigmoid"}, [](const OpCall& call) { return function(call, "sigmoid"); });
const RegisterLowering tanh({"tanh"}, [](const OpCall& call) { return function(call, "tanh"); });
const RegisterLowering silu({"silu"}, [](const OpCall& call) { return function(call, "silu"); });

const RegisterLowering leaky({"leaky_relu"}, [](const OpCall& call) -> std::optional<Lowered> {
  std::optional<Lowered> out = function(call, "leaky_relu");
  const std::optional<double> slope = call.number("negative_slope");
  if (!out || !slope) return std::nullopt;
  out->node.floats["slope"] = {*slope};
  return out;
});
const RegisterLowering elu({"elu"}, [](const OpCall& call) -> std::optional<Lowered> {
  std::optional<Lowered> out = function(call, "elu");
  const std::optional<double> alpha = call.number("alpha");
  if (!out || !alpha || call.number("scale") != 1.0 || call.number("input_scale") != 1.0) return std::nullopt;
  out->node.floats["slope"] = {*alpha};
  return out;
});
const RegisterLowering prelu({"prelu"}, [](const OpCall& call) -> std::optional<Lowered> {
  std::optional<Lowered> out = function(call, "prelu");
  const std::optional<Array> weight = call.constant("weight");
  if (!out || !weight || (weight->numel() != 1 && weight->numel() != out->shape[1])) return std::nullopt;
  out->node.constants["weight"] = weight->reshape({weight->numel()});
  return out;
});

bool is_per_channel(const Shape& small, const Shape& shape) {
  return small.size() == shape.size() && small[1] == shape[1] && std::all_of(small.begin() + 2, small.end(), [](auto n) { return n == 1; });
}

std::optional<Lowered> with_scalar(const OpCall& call, const char* op, double scalar) {
  std::optional<Lowered> out = function(call, op);
  if (out) out->node.floats["scalar"] = {scalar};
  return out;
}

/// Of two tensors, the second may be one number per channel; or of a tensor and a number.
std::optional<Lowered> binary(const OpCall& call, std::string op, double alpha) {
  if (const std::optional<double> scalar = call.number("other")) {
    if (op == "mul") return with_scalar(call, "mul", *scalar);
    return with_scalar(call, "add", (op == "sub" ? -alpha : alpha) * *scalar);
  }
  if (!call.is_tensor("self") || !call.is_tensor("other")) return std::nullopt;
  std::size_t a = call.tensor("self"), b = call.tensor("other");
  if (op == "sub" && alpha != 1) op = "add", alpha = -alpha;
  const bool commutes = op == "mul" || (op == "add" && alpha == 1);
  if (commutes && call.shape_of(a) != call.shape_of(b) && is_per_channel(call.shape_of(a), call.shape_of(b))) std::swap(a, b);
  if (call.shape_of(a) != call.shape_of(b) && !is_per_channel(call.shape_of(b), call.shape_of(a))) return std::nullopt;
  Lowered out;
  out.node.op = op;
  out.node.inputs = {a, b};
  if (op == "add") out.node.floats["alpha"] = {alpha};
  out.shape = call.shape_of(a);
  return out;
}

const RegisterLowering add({"add"}, [](const OpCall& call) { return binary(call, "add", call.number("alpha").value_or(1)); });
const RegisterLowering sub({"sub"}, [](const OpCall& call) { return binary(call, "sub", call.number("alpha").value_or(1)); });
const RegisterLowering mul({"mul"}, [](const OpCall& call) { return binary(call, "mul", 1); });
const RegisterLowering neg({"neg"}, [](const OpCall& call) { return with_scalar(call, "mul", -1); });
const RegisterLowering div({"div"}, [](const OpCall& call) -> std::optional<Lowered> {
  const std::optional<double> by = call.number("other");
  if (!by || call.find("rounding_mode") || !std::isnormal(*by) || !std::isnormal(static_cast<float>(1 / *by))) return std::nullopt;
  return with_scalar(call, "mul", 1 / *by);
});

const RegisterLowering softmax({"softmax", "_softmax"}, [](const OpCall& call) -> std::optional<Lowered> {
  std::optional<Lowered> out = function(call, "softmax");
  const std::optional<std::int64_t> axis = call.integer("dim");
  if (!out || !axis || (!call.is_none("dtype") && call.integer("dtype") != static_cast<std::int64_t>(torch::kFloat)) || call.flag("half_to_float"))
    return std::nullopt;
  if ((*axis < 0 ? *axis + static_cast<std::int64_t>(out->shape.size()) : *axis) != 1) return std::nullopt;
  out->node.ints["axis"] = {1};
  return out;
});

}  // namespace
}  // namespace vesal::nn
