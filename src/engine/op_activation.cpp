#include <map>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "engine/pointwise_of.h"

namespace vesal::engine {

using kernels::Function;
using kernels::Pointwise;

std::optional<Pointwise> pointwise_of(const Node& node) {
  static const std::map<std::string, Function> functions{{"relu", Function::relu}, {"leaky_relu", Function::leaky_relu}, {"prelu", Function::prelu},
                                                         {"silu", Function::silu}, {"sigmoid", Function::sigmoid},       {"tanh", Function::tanh},
                                                         {"elu", Function::elu}};
  const auto found = functions.find(node.op);
  if (found == functions.end()) return std::nullopt;
  Pointwise f{.function = found->second};
  if (f.function == Function::prelu) f.slope = numbers(node, "weight");
  if (f.function == Function::leaky_relu) f.slope = {static_cast<float>(number(node, "slope", 0.01))};
  if (f.function == Function::elu) f.slope = {static_cast<float>(number(node, "slope", 1))};
  return f;
}

namespace {

bool plan(Planner& planner, const Node& node) {
  planner.defer(node, node.op, nullptr, pointwise_of(node).value());
  return true;
}

bool takes_pending(Planner& planner, const Node&, ValueId value) { return planner.known(value) && planner.pending(value).after.is_identity(); }

const RegisterOperator registered({"relu", "leaky_relu", "prelu", "silu", "sigmoid", "tanh", "elu"}, {plan, takes_pending});

}  // namespace
}  // namespace vesal::engine
