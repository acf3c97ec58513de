// What puts together, widens and enlarges, for the engine.
#include <algorithm>
#include <cmath>

#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

const RegisterLowering cat({"cat"}, [](const OpCall& call) -> std::optional<Lowered> {
  const Argument* parts = call.find("tensors");
  const std::optional<std::int64_t> axis = call.integer("dim");
  if (!parts || parts->kind != Argument::Kind::list || parts->items.empty() || !axis) return std::nullopt;
  Lowered out;
  out.node.op = "cat";
  out.node.ints["axis"] = {1};
  for (const Argument& part : parts->items) {
    if (part.kind != Argument::Kind::tensor) return std::nullopt;
    Shape shape = call.shape_of(part.tensor);
    out.node.inputs.push_back(part.tensor);
    if (out.shape.empty()) {
      out.shape = shape;
      continue;
    }
    const std::int64_t channels = out.shape[1] + shape[1];
    shape[1] = out.shape[1];
    if (shape != out.shape) return std::nullopt;
    out.shape[1] = channels;
  }
  if (*axis != 1 && *axis + static_cast<std::int64_t>(out.shape.size()) != 1) return std::nullopt;
  return out;
});

std::optional<Lowered> pad(const OpCall& call, double value) {
  const std::optional<Shape> amounts = call.ints("pad");  // two numbers per axis, the last axis first
  if (!call.is_tensor("self") || !amounts) return std::nullopt;
  const auto axes = static_cast<std::size_t>(call.spatial_axes("self"));
  if (amounts->size() % 2 != 0 || amounts->size() > 2 * axes || std::any_of(amounts->begin(), amounts->end(), [](auto n) { return n < 0; }))
    return std::nullopt;
  Shape before(axes, 0), after(axes, 0);
  Lowered out;
  out.shape = call.shape("self");
  for (std::size_t i = 0; i < amounts->size() / 2; ++i) {
    before[axes - 1 - i] = (*amounts)[2 * i];
    after[axes - 1 - i] = (*amounts)[2 * i + 1];
    out.shape[axes + 1 - i] += (*amounts)[2 * i] + (*amounts)[2 * i + 1];
  }
  out.node.op = "pad";
  out.node.inputs = {call.tensor("self")};
  out.node.ints = {{"before", before}, {"after", after}};
  out.node.floats["value"] = {value};
  return out;
}

const RegisterLowering constant_pad({"constant_pad_nd"},
                                    [](const OpCall& call) { return call.number("value") ? pad(call, *call.number("value")) : std::nullopt; });
const RegisterLowering any_pad({"pad"}, [](const OpCall& call) {
  return call.text("mode") == "constant" ? pad(call, call.number("value").value_or(0)) : std::nullopt;
});

/// Of the forms with sizes and with factors. PyTorch computes places by the factors where they were given, else by the ratio of the sizes.
std::optional<Lowered> upsample(const OpCall& call, bool linear) {
  const std::string input = call.find("input") ? "input" : "self";
  if (!call.is_tensor(input)) return std::nullopt;
  const Shape& in = call.shape(input);
  const auto axes = in.size() - 2;
  std::vector<double> scale;
  if (call.find("scale_factors")) {
    if (!call.is_none("scale_factors") && !call.numbers("scale_factors")) return std::nullopt;
    scale = call.numbers("scale_factors").value_or(std::vector<double>{});
  } else {
    const std::vector<const char*> names = axes == 1   ? std::vector<const char*>{"scales"}
                                           : axes == 2 ? std::vector<const char*>{"scales_h", "scales_w"}
                                                       : std::vector<const char*>{"scales_d", "scales_h", "scales_w"};
    for (const char* name : names)
      if (const auto factor = call.number(name)) scale.push_back(*factor);
  }
  if (!scale.empty() && (scale.size() != axes || *std::min_element(scale.begin(), scale.end()) <= 0)) return std::nullopt;
  Shape size;
  if (!call.is_none("output_size")) {
    const auto given = call.per_axis("output_size", static_cast<int>(axes));
    if (!given) return std::nullopt;
    size = *given;
  } else {
    if (scale.empty()) return std::nullopt;
    for (std::size_t i = 0; i < axes; ++i) size.push_back(static_cast<std::int64_t>(static_cast<double>(in[i + 2]) * scale[i]));
  }
  if (size.size() != axes || *std::min_element(size.begin(), size.end()) < 1) return std::nullopt;
  Lowered out;
  out.node.op = "upsample";
  out.node.inputs = {call.tensor(input)};
  out.node.ints = {{"size", size}, {"linear", {linear}}, {"align_corners", {call.flag("align_corners")}}};
  out.node.floats["scale"] = scale;
  out.shape = {1, in[1]};
  out.shape.insert(out.shape.end(), size.begin(), size.end());
  return out;
}

const RegisterLowering nearest({"upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"},
                               [](const OpCall& call) { return upsample(call, false); });
const RegisterLowering linear({"upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"},
                              [](const OpCall& call) { return upsample(call, true); });

}  // namespace
}  // namespace vesal::nn
