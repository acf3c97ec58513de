// Instance and group norm: sums per channel, which the step that writes the input leaves if it can, become a scale and a shift that is pending.
#include <algorithm>
#include <cmath>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/map_channels.h"

namespace vesal::engine {
namespace {

struct Norm {
  std::vector<float> weight, bias;  ///< per channel or none
  double eps = 1e-5;
  std::size_t channels = 0, group = 1;  ///< channels of a group
  double voxels = 1;

  /// sums: [2][channels in whole blocks].
  void coefficients(const Statistics& sums, Coefficients& out) const {
    const std::size_t padded = sums.size() / 2;
    for (std::size_t first = 0; first < channels; first += group) {
      double sum = 0, squares = 0;
      for (std::size_t c = first; c < first + group; ++c) sum += sums[c], squares += sums[padded + c];
      const double n = voxels * static_cast<double>(group), mean = sum / n;
      const double variance = squares / n - mean * mean, below = variance < 0 ? 0 : variance;  // NaN stays NaN
      for (std::size_t c = first; c < first + group; ++c) {
        const double scale = (weight.empty() ? 1.0 : weight[c]) / std::sqrt(below + eps);
        out.scale[c] = static_cast<float>(scale);
        out.shift[c] = static_cast<float>((bias.empty() ? 0.0 : bias[c]) - mean * scale);
      }
    }
  }
};

bool plan(Planner& planner, const Node& node) {
  const TensorId id = planner.tensor(node.inputs[0]);
  const Tensor& t = planner.at(id);
  Norm norm{.weight = numbers(node, "weight"), .bias = numbers(node, "bias"), .eps = number(node, "eps", 1e-5)};
  norm.channels = static_cast<std::size_t>(t.channels);
  norm.voxels = static_cast<double>(kernels::voxels(t.extents));
  if (node.op == "group_norm") {
    const std::int64_t groups = integer(node, "groups", 1);
    if (groups < 1 || t.channels % groups != 0)
      throw Error(ErrorKind::shape, std::to_string(groups) + " groups of " + std::to_string(t.channels) + " channels");
    norm.group = static_cast<std::size_t>(t.channels / groups);
  }
  if ((!norm.weight.empty() && norm.weight.size() != norm.channels) || (!norm.bias.empty() && norm.bias.size() != norm.channels))
    throw Error(ErrorKind::shape, "weights of " + std::to_string(norm.weight.size()) + " for " + std::to_string(norm.channels) + " channels");

  auto map = std::make_shared<Coefficients>(t.channels);
  const bool given = t.statistics != nullptr;
  Step step = step_of(node.op + (given ? " (coefficients)" : " (sums)"), node, given ? std::vector<TensorId>{} : std::vector{id}, {});
  std::shared_ptr<Statistics> sums = t.statistics;
  if (!given) {
    sums = std::make_shared<Statistics>(static_cast<std::size_t>(2 * kernels::kBlock * kernels::blocks(t.channels)));
    planner.at(id).statistics = sums;  // for a second norm
  }
  step.run = [norm, given, sums, map, id](const Memory& memory) {
    if (!given) kernels::channel_statistics(memory.at(id), sums->data());
    norm.coefficients(*sums, *map);
  };
  planner.emit(std::move(step));
  planner.defer(node, node.op, map, {});
  return true;
}

const RegisterOperator registered({"instance_norm", "group_norm"}, {plan, nullptr, true});

}  // namespace
}  // namespace vesal::engine
