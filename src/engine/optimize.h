// Rewriting a graph before it is planned; the results stay the same up to rounding.
#pragma once
#include "engine/graph.h"

namespace vesal::engine {

/// Drops identities and what nobody uses; a batch norm becomes part of the weights of the convolution before it, if nobody else sees
/// what lies between them; a bias that an instance norm takes away again is left out. Constants are not changed but replaced. Throws Error(shape) for
/// a graph that contradicts itself.
Graph optimize(Graph graph);

}  // namespace vesal::engine
