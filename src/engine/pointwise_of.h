// Which nodes are functions of one number.
#pragma once
#include <optional>

#include "engine/graph.h"
#include "kernels/activations.h"

namespace vesal::engine {

/// Nothing if the node is none.
std::optional<kernels::Pointwise> pointwise_of(const Node& node);

}  // namespace vesal::engine
