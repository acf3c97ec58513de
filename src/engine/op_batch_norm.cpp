// Batch norm that no convolution took up: a scale and a shift per channel.
#include "engine/batch_norm.h"
#include "engine/planner.h"

namespace vesal::engine {
namespace {

bool plan(Planner& planner, const Node& node) {
  const ChannelAffine affine = batch_norm_affine(node);
  auto map = std::make_shared<Coefficients>(static_cast<std::int64_t>(affine.scale.size()));
  for (std::size_t c = 0; c < affine.scale.size(); ++c) {
    map->scale[c] = static_cast<float>(affine.scale[c]);
    map->shift[c] = static_cast<float>(affine.shift[c]);
  }
  planner.defer(node, node.op, std::move(map), {});
  return true;
}

const RegisterOperator registered({"batch_norm"}, {plan});

}  // namespace
}  // namespace vesal::engine
