#include "train/step_memory.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "nn/network.h"
#include "nn/tensor_memory.h"
#include "train/loss.h"

namespace vesal::train {
namespace {

using torch::Tensor;

constexpr std::int64_t kSmallestExtent = 16;  ///< a shorter extent is not halved: networks halve it again and again
/// oneDNN's own copies in its layouts, and what allocators lose: of the whole, measured over the zoo's networks.
constexpr double kUncounted = 1.1;

/// A network in evaluation as long as this lives, so that running means stay what they are.
class InEvaluation {
 public:
  explicit InEvaluation(nn::Network& network) : network_(network), was_training_(network.training()) { network_.eval(); }
  ~InEvaluation() { network_.train(was_training_); }
  InEvaluation(const InEvaluation&) = delete;
  InEvaluation& operator=(const InEvaluation&) = delete;

 private:
  nn::Network& network_;
  bool was_training_;
};

bool can_be_halved(std::int64_t extent) { return extent % 2 == 0 && extent >= 2 * kSmallestExtent; }

/// One patch with every extent halved that can be.
Shape corner(const Shape& shape) {
  Shape out = shape;
  out[0] = 1;
  for (std::size_t d = 2; d < out.size(); ++d)
    if (can_be_halved(out[d])) out[d] /= 2;
  return out;
}
/// One patch of several; of a single one half.
Shape half(const Shape& shape) {
  Shape out = shape;
  if (std::exchange(out[0], 1) > 1) return out;
  const auto longest = std::max_element(out.begin() + 2, out.end());
  if (can_be_halved(*longest)) *longest /= 2;
  return out;
}

double numel(const Shape& shape) {
  double n = 1;
  for (const std::int64_t extent : shape) n *= static_cast<double>(extent);
  return n;
}

/// The most bytes that one step on these shapes has in tensors at once.
std::uint64_t measured(nn::Network& network, const Value& loss, const Shape& inputs, const Shape& targets) {
  std::vector<Tensor> learned = network.parameters();
  learned.erase(std::remove_if(learned.begin(), learned.end(), [](const Tensor& p) { return !p.requires_grad(); }), learned.end());
  const std::uint64_t before = nn::tensor_memory().now;
  nn::reset_tensor_memory();
  const torch::AutoGradMode with_gradients(true);
  const Value prediction = network.call({{nn::to_value(torch::zeros(inputs))}, {}});
  const Tensor target = torch::zeros(targets);
  const auto known = loss.object<Loss>();
  const Tensor value = known && !prediction.is_sequence() ? known->forward(nn::tensor_of(prediction), target)
                                                          : nn::tensor_of(call_value(loss, {{prediction, nn::to_value(target)}, {}}));
  if (!learned.empty()) torch::autograd::grad({value.sum()}, learned, {}, false, false, true);
  return nn::tensor_memory().most - before;
}

}  // namespace

std::optional<std::uint64_t> step_memory(const Value& network, const Value& loss, const Shape& inputs, const Shape& targets) {
  const auto net = network.object<nn::Network>();
  if (!net || !net->device().is_cpu() || inputs.size() < 3 || inputs.size() != targets.size()) return std::nullopt;
  if (!std::equal(inputs.begin() + 2, inputs.end(), targets.begin() + 2)) return std::nullopt;
  double parameters = 0;
  for (const Tensor& p : net->parameters()) parameters += p.requires_grad() ? static_cast<double>(p.nbytes()) : 0;
  const auto told_by = [&](const Shape& small, const Shape& small_targets) {
    const auto bytes = static_cast<double>(nn::torch_call([&] { return measured(*net, loss, small, small_targets); }));
    const double grows = std::max(0.0, bytes - parameters) * numel(inputs) / numel(small);
    return grows * kUncounted + 3 * parameters;  // gradients, and what an optimizer keeps
  };
  try {
    const InEvaluation mode(*net);
    nn::use_thread_count();
    // A corner costs nothing but tells too much: small tensors have more around them. Where half of the whole fits, that is tried.
    const double rough = told_by(corner(inputs), corner(targets));
    const Shape better = half(inputs);
    const auto room = static_cast<double>(available_memory().value_or(0));
    if (better == inputs || rough * numel(better) / numel(inputs) > room) return static_cast<std::uint64_t>(rough);
    return static_cast<std::uint64_t>(told_by(better, half(targets)));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    log::debug("the memory of an iteration cannot be forecast: {}", e.what());
    return std::nullopt;
  }
}

}  // namespace vesal::train
