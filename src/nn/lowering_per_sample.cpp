// Which operators treat the samples of a batch each on its own. Unknown ones are taken to mix them.
#include <algorithm>
#include <set>

#include "nn/lowering_rule.h"

namespace vesal::nn {
namespace {

/// Functions of one number, and what broadcasts.
const std::set<std::string>& elementwise() {
  static const std::set<std::string> names{
      "abs",      "add",        "alias",       "bitwise_and", "bitwise_not", "bitwise_or",  "celu",      "clamp",       "clamp_max", "clamp_min",
      "clone",    "contiguous", "cos",         "detach",      "div",         "elu",         "eq",        "erf",         "exp",       "expm1",
      "floor",    "ge",         "gelu",        "gt",          "hardshrink",  "hardsigmoid", "hardswish", "hardtanh",    "le",        "leaky_relu",
      "log",      "log1p",      "log_sigmoid", "logical_and", "logical_not", "logical_or",  "lt",        "masked_fill", "maximum",   "minimum",
      "mish",     "mul",        "ne",          "neg",         "ones_like",   "pow",         "prelu",     "reciprocal",  "relu",      "relu6",
      "round",    "rsqrt",      "rsub",        "selu",        "sigmoid",     "sign",        "silu",      "sin",         "softplus",  "softshrink",
      "softsign", "sqrt",       "square",      "sub",         "tanh",        "threshold",   "to",        "type_as",     "where",     "zeros_like"};
  return names;
}

/// What works on the axes behind the batch by its definition.
const std::set<std::string>& of_samples() {
  static const std::set<std::string> names{
      "_convolution",     "convolution", "conv1d",           "conv2d",           "conv3d",           "conv_transpose1d",  "conv_transpose2d",
      "conv_transpose3d", "group_norm",  "linear",           "pixel_shuffle",    "pixel_unshuffle",  "channel_shuffle",   "grid_sampler",
      "constant_pad_nd",  "pad",         "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "replication_pad1d", "replication_pad2d",
      "replication_pad3d"};
  return names;
}

/// Whether no axis that the argument names is the batch; `rank` counts negative ones.
bool leaves_batch(const OpCall& call, const std::string& argument, std::int64_t rank) {
  const std::optional<Shape> axes = call.ints(argument);
  return axes && !axes->empty() && std::all_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return axis != 0 && axis + rank != 0; });
}

bool begins(const std::string& text, std::initializer_list<const char*> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](const char* start) { return text.starts_with(start); });
}

}  // namespace

bool is_per_sample(const std::string& full_name, const OpCall& call, const std::vector<Shape>& results) {
  std::string name = full_name.starts_with("aten::") ? full_name.substr(6) : full_name;
  if (name.ends_with('_')) name.pop_back();
  const std::string input = call.find("self") ? "self" : "input";
  // The batch must stay in front: what has no axis of one there has taken it in.
  for (const Shape& result : results)
    if (result.empty() || result[0] != 1) return false;
  if (elementwise().count(name) || of_samples().count(name)) return true;
  if (name == "cat" || name == "stack") {
    const Argument* parts = call.find("tensors");
    const bool listed = parts && parts->kind == Argument::Kind::list && !parts->items.empty() && parts->items[0].kind == Argument::Kind::tensor;
    return listed && leaves_batch(call, "dim", static_cast<std::int64_t>(results[0].size()));
  }
  if (!call.is_tensor(input)) return false;
  const Shape& in = call.shape(input);
  if (in.empty() || in[0] != 1) return false;
  const auto rank = static_cast<std::int64_t>(in.size());
  if (name == "batch_norm") return !call.flag("training") && !call.is_none("running_mean");
  if (name == "instance_norm") return call.flag("use_input_stats") == call.is_none("running_mean");
  if (name == "layer_norm") {
    const std::optional<Shape> shape = call.ints("normalized_shape");
    return shape && static_cast<std::int64_t>(shape->size()) < rank;
  }
  if (begins(name, {"max_pool", "avg_pool", "adaptive_", "upsample_"})) return rank >= 3;
  // One sample's numbers stay in its own part of memory; the rest of the shape was found with one sample.
  if (name == "view" || name == "reshape" || name == "flatten" || name == "unflatten") return true;
  if (name == "permute") return call.ints("dims") && !call.ints("dims")->empty() && call.ints("dims")->front() % rank == 0;
  if (name == "transpose" || name == "swapaxes") return leaves_batch(call, "dim0", rank) && leaves_batch(call, "dim1", rank);
  if (name == "unsqueeze") return leaves_batch(call, "dim", rank + 1);
  if (name == "expand") return static_cast<std::int64_t>(results[0].size()) == rank;
  if (begins(name,
             {"mean",   "sum",    "amax",  "amin",  "var",    "std",  "softmax", "_softmax",     "log_softmax", "_log_softmax", "squeeze", "slice",
              "select", "narrow", "chunk", "split", "unbind", "flip", "cumsum",  "index_select", "norm",        "max",          "min",     "glu"}))
    return leaves_batch(call, "dim", rank);
  return false;
}

}  // namespace vesal::nn
