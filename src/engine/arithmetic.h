// Sums that a convolution can take up.
#pragma once
#include "engine/graph.h"

namespace vesal::engine {

/// Whether the node adds two different values of one shape.
bool is_plain_sum(const Graph& graph, const Node& node);

}  // namespace vesal::engine
