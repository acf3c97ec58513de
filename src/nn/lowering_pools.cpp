// Pooling for the engine.
#include <algorithm>

#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

/// Source: PyTorch's pooling_output_shape: with ceil_mode the last window must begin within the input or its first padding.
std::int64_t pooled(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation, bool ceil) {
  const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil ? stride - 1 : 0);
  std::int64_t out = (room >= 0 ? room / stride : -1) + 1;
  if (ceil && (out - 1) * stride >= in + padding) --out;
  return out;
}

std::optional<Lowered> pool(const OpCall& call, const char* op) {
  if (!call.is_tensor("self")) return std::nullopt;
  const int axes = call.spatial_axes("self");
  const Shape one(static_cast<std::size_t>(axes), 1);
  const auto kernel = call.per_axis("kernel_size", axes);
  if (!kernel) return std::nullopt;
  const auto stride = call.per_axis("stride", axes, *kernel), padding = call.per_axis("padding", axes);
  const auto dilation = call.find("dilation") ? call.per_axis("dilation", axes) : std::optional(one);
  if (!stride || !padding || !dilation || !call.is_none("divisor_override")) return std::nullopt;
  const bool ceil = call.flag("ceil_mode");
  Lowered out;
  out.node.op = op;
  out.node.inputs = {call.tensor("self")};
  out.node.ints = {{"kernel", *kernel}, {"stride", *stride}, {"padding", *padding}, {"dilation", *dilation}, {"ceil_mode", {ceil}}};
  if (call.find("count_include_pad")) out.node.ints["count_include_pad"] = {call.flag("count_include_pad")};
  const Shape& in = call.shape("self");
  out.shape = {1, in[1]};
  for (std::size_t i = 0; i < kernel->size(); ++i) {
    out.shape.push_back(pooled(in[i + 2], (*kernel)[i], (*stride)[i], (*padding)[i], (*dilation)[i], ceil));
    if (out.shape.back() < 1 || 2 * (*padding)[i] > (*kernel)[i]) return std::nullopt;
  }
  return out;
}

std::optional<Lowered> adaptive(const OpCall& call, const Shape& size) {
  Lowered out;
  out.node.op = "adaptive_avg_pool";
  out.node.inputs = {call.tensor("self")};
  out.node.ints["size"] = size;
  out.shape = {1, call.shape("self")[1]};
  out.shape.insert(out.shape.end(), size.begin(), size.end());
  return out;
}

const RegisterLowering max({"max_pool1d", "max_pool2d", "max_pool3d"}, [](const OpCall& call) { return pool(call, "max_pool"); });
const RegisterLowering avg({"avg_pool1d", "avg_pool2d", "avg_pool3d"}, [](const OpCall& call) { return pool(call, "avg_pool"); });
const RegisterLowering adaptive_avg({"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"},
                                    [](const OpCall& call) -> std::optional<Lowered> {
                                      if (!call.is_tensor("self")) return std::nullopt;
                                      const auto size = call.per_axis("output_size", call.spatial_axes("self"));
                                      if (!size || *std::min_element(size->begin(), size->end()) < 1) return std::nullopt;
                                      return adaptive(call, *size);
                                    });
// A mean over all spatial axes that keeps them.
const RegisterLowering mean({"mean"}, [](const OpCall& call) -> std::optional<Lowered> {
  if (!call.is_tensor("self") || !call.flag("keepdim") || !call.is_none("dtype")) return std::nullopt;
  std::optional<Shape> axes = call.ints("dim");
  const auto rank = static_cast<std::int64_t>(call.shape("self").size());
  if (!axes || static_cast<std::int64_t>(axes->size()) != rank - 2) return std::nullopt;
  for (std::int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
  std::sort(axes->begin(), axes->end());
  for (std::size_t i = 0; i < axes->size(); ++i)
    if ((*axes)[i] != static_cast<std::int64_t>(i) + 2) return std::nullopt;
  return adaptive(call, Shape(axes->size(), 1));
});

}  // namespace
}  // namespace vesal::nn
