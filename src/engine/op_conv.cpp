// Convolution, transposed or not, with what comes before and after it: a pending norm and activation on its input, bias, a sum with
// something that is there already, an activation, and the sums that a norm behind it needs.
#include <algorithm>

#include "engine/arithmetic.h"
#include "engine/attributes.h"
#include "engine/planner.h"
#include "engine/pointwise_of.h"
#include "kernels/convolution.h"
#include "kernels/layout.h"

namespace vesal::engine {
namespace {

using kernels::Convolution;

kernels::ConvolutionShape shape_of(const Planner& planner, const Node& node) {
  const Shape &in = planner.shape(node.inputs[0]), &out = planner.shape(node.outputs[0]), &weight = node.constants.at("weight").shape();
  if (in.size() < 3 || out.size() != in.size() || weight.size() != in.size())
    throw Error(ErrorKind::shape, "convolution of " + to_string(in) + " by " + to_string(weight) + " to " + to_string(out));
  const std::size_t axes = in.size() - 2;
  kernels::ConvolutionShape s;
  s.in_channels = in[1];
  s.out_channels = out[1];
  for (std::size_t i = 0; i < axes; ++i) {
    s.in[3 - axes + i] = in[2 + i];
    s.out[3 - axes + i] = out[2 + i];
    s.kernel[3 - axes + i] = weight[2 + i];
  }
  s.stride = per_axis(node, "stride", axes, 1, 1);
  s.padding = per_axis(node, "padding", axes, 0, 0);
  s.dilation = per_axis(node, "dilation", axes, 1, 1);
  s.groups = integer(node, "groups", 1);
  s.transposed = integer(node, "transposed", 0) != 0;
  const std::int64_t own = s.transposed ? s.in_channels : s.out_channels, other = s.transposed ? s.out_channels : s.in_channels;
  if (weight[0] != own || s.groups < 1 || weight[1] * s.groups != other)
    throw Error(ErrorKind::shape, "weights " + to_string(weight) + " for " + to_string(in) + " to " + to_string(out));
  return s;
}

kernels::Precision precision(const Planner& planner) { return planner.options().bf16 ? kernels::Precision::bf16 : kernels::Precision::fp32; }

std::shared_ptr<Convolution> convolution(Planner& planner, const Node& node) {
  return planner.kept<Convolution>(
      node, [&] { return Convolution::make(shape_of(planner, node), constant(node, "weight"), constant(node, "bias"), precision(planner)); });
}

/// What follows the convolution and is done on the way out.
struct Epilogue {
  ValueId value;
  std::string what;
  kernels::Pointwise function = {};
  std::optional<ValueId> residual = {};
  bool residual_after = false;
};

Epilogue follow(Planner& planner, const Node& node) {
  Epilogue e{.value = node.outputs[0], .what = integer(node, "transposed", 0) ? "conv transposed" : "conv"};
  while (const Node* next = planner.sole_consumer(e.value)) {
    const auto f = pointwise_of(*next);
    if (f && e.function.is_identity()) {
      e.function = *f;
    } else if (!e.residual && is_plain_sum(planner.graph(), *next)) {
      const ValueId other = next->inputs[next->inputs[0] == e.value ? 1 : 0];
      if (!planner.known(other)) break;
      e.residual = other;
      e.residual_after = !e.function.is_identity();
    } else {
      break;
    }
    if (!planner.spatial(*next)) break;
    e.what += " + " + next->op;
    e.value = next->outputs[0];
    planner.absorb(*next);
    if (e.residual_after) break;
  }
  return e;
}

bool takes_pending(Planner&, const Node& node, ValueId value) { return node.inputs.size() == 1 && node.inputs[0] == value; }

/// A convolution into a tensor and what goes with it: `what` and the tensors are there already.
void emit(Planner& planner, Step step, std::shared_ptr<Convolution> conv, const kernels::ConvolutionShape& shape, kernels::ConvolutionCall call,
          const Operand& in, std::optional<TensorId> residual, TensorId out) {
  step.flops = shape.flops();
  step.weight_bytes = conv->weight_bytes();
  step.scratch_bytes = conv->scratch_bytes();
  call.before.after = in.after;
  step.run = [conv, call, map = in.map, sums = planner.at(out).statistics, from = in.tensor, residual, out](const Memory& memory) mutable {
    if (map) call.before.scale = map->scale.data(), call.before.shift = map->shift.data();
    call.in = memory.at(from);
    if (residual) call.residual = memory.at(*residual);
    call.out = memory.at(out);
    conv->run(call);
  };
  planner.emit(std::move(step));
}

/// Channels of an output with many classes that are computed at once: each slice reads the input anew.
constexpr std::int64_t kSlice = 64;

/// Whether the result only goes to the caller, who wants planes: then it need not be there in blocks as a whole.
bool in_slices(const Planner& planner, const kernels::ConvolutionShape& shape, const Epilogue& e) {
  return shape.out_channels > kSlice && shape.groups == 1 && !shape.transposed && !e.residual && planner.consumers(e.value).empty();
}

/// A slice of the channels after the other, copied into the planes of the output.
void plan_slices(Planner& planner, const Node& node, const kernels::ConvolutionShape& shape, const Epilogue& e, const std::string& what) {
  const Operand in = planner.operand(node.inputs[0]);
  const TensorId whole = planner.make_planes(e.value);
  for (std::int64_t first = 0; first < shape.out_channels; first += kSlice) {
    kernels::ConvolutionShape part = shape;
    part.out_channels = std::min(kSlice, shape.out_channels - first);
    const float* bias = constant(node, "bias");
    const std::int64_t row = shape.in_channels * kernels::voxels(shape.kernel);
    kernels::ConvolutionCall call;
    call.function = e.function;
    if (call.function.slope.size() > 1)
      call.function.slope = {e.function.slope.begin() + first, e.function.slope.begin() + first + part.out_channels};
    Tensor slice = planner.at(whole);
    slice.shape[1] = slice.channels = part.out_channels;
    slice.planar = slice.channels <= kernels::kMostPlanarChannels;
    const TensorId out = planner.add(std::move(slice));
    emit(planner, step_of(what, node, {in.tensor}, {out}),
         Convolution::make(part, constant(node, "weight") + first * row, bias ? bias + first : nullptr, precision(planner)), part, std::move(call),
         in, std::nullopt, out);
    Step copy = step_of("output", node, {out}, {whole});
    copy.copied = planner.at(out).size();
    copy.run = [out, whole, first](const Memory& memory) { kernels::copy_channels(memory.at(out), memory.at(whole), first); };
    planner.emit(std::move(copy));
  }
}

/// Bytes of the planes that are made at a time of an output that need not be there as a whole.
constexpr std::int64_t kPlaneBytes = std::int64_t{8} << 20;

/// Whether an output in slices can be made by planes instead: each voxel then comes of one voxel of the input.
bool by_planes(const kernels::ConvolutionShape& s) {
  return s.kernel == kernels::Extents{1, 1, 1} && s.stride == kernels::Extents{1, 1, 1} && s.in == s.out;
}

/// Voxels made at a time: whole planes of the first spatial axis, a divisor of their number.
std::int64_t voxels_at_once(const kernels::ConvolutionShape& shape, std::size_t axes) {
  const std::int64_t planes = shape.out[3 - axes], plane = kernels::voxels(shape.out) / planes;
  std::int64_t together = std::clamp<std::int64_t>(kPlaneBytes / (plane * shape.out_channels * 4), 1, planes);
  while (planes % together != 0) --together;
  return together * plane;
}

/// All channels of some planes after those of the planes before, each handed on before the next are made.
void plan_planes(Planner& planner, const Node& node, const kernels::ConvolutionShape& shape, const Epilogue& e, const std::string& what) {
  const Operand in = planner.operand(node.inputs[0]);
  const TensorId whole = planner.make_planes(e.value);
  planner.at(whole).by_planes = true;
  kernels::ConvolutionShape part = shape;
  const std::int64_t all = kernels::voxels(shape.out), together = voxels_at_once(shape, planner.shape(e.value).size() - 2);
  part.in = part.out = {1, 1, together};
  Tensor some = planner.at(whole);
  some.by_planes = false;
  some.shape = {1, shape.out_channels, together};
  some.extents = part.out;
  const TensorId planes = planner.add(some);
  some.planar = false;
  const TensorId blocks = planner.add(some);
  const std::shared_ptr<Convolution> conv = Convolution::make(part, constant(node, "weight"), constant(node, "bias"), precision(planner));
  kernels::ConvolutionCall call;
  call.before.after = in.after;
  call.function = e.function;
  Step step = step_of(what, node, {in.tensor}, {whole, planes, blocks});
  step.flops = shape.flops();
  step.weight_bytes = conv->weight_bytes();
  step.scratch_bytes = conv->scratch_bytes();
  step.run = [conv, call, map = in.map, from = in.tensor, whole, planes, blocks, all, together](const Memory& memory) mutable {
    if (map) call.before.scale = map->scale.data(), call.before.shift = map->shift.data();
    call.in = memory.at(from);
    call.in.extents = {1, 1, together};
    call.out = memory.at(blocks);
    const std::int64_t step_in = together * (call.in.planar ? 1 : kernels::kBlock);
    for (std::int64_t first = 0; first < all; first += together, call.in.data += step_in) {
      conv->run(call);
      memory.give(whole, call.out, memory.at(planes), first);
    }
  };
  planner.emit(std::move(step));
}

bool plan(Planner& planner, const Node& node) {
  const std::shared_ptr<Convolution> conv = convolution(planner, node);
  const kernels::ConvolutionShape shape = shape_of(planner, node);
  const Epilogue e = follow(planner, node);
  const std::optional<TensorId> residual = e.residual ? std::optional(planner.tensor(*e.residual)) : std::nullopt;
  const Operand in = planner.operand(node.inputs[0]);
  const std::string what =
      (in.pending.empty() ? "" : in.pending + " + ") + e.what + (conv->precision() == kernels::Precision::bf16 ? " in bf16" : "");
  if (in_slices(planner, shape, e)) {
    (by_planes(shape) ? plan_planes : plan_slices)(planner, node, shape, e, what);
    return true;
  }
  const TensorId out = planner.make(e.value);
  kernels::ConvolutionCall call;
  call.function = e.function;
  call.residual_after = e.residual_after;
  call.statistics = planner.statistics(e.value, out);
  Step step = step_of(what, node, {in.tensor}, {out});
  if (residual) {
    step.reads.push_back(*residual);
    step.may_overwrite = {*residual};
  }
  emit(planner, std::move(step), conv, shape, std::move(call), in, residual, out);
  return true;
}

const RegisterOperator registered({"conv"}, {plan, takes_pending});

}  // namespace
}  // namespace vesal::engine
