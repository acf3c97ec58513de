// From a network to an engine::Graph: what the engine has goes to it operator by operator, the rest runs through libtorch in between.
#pragma once
#include <string>

#include "engine/graph.h"
#include "nn/network.h"

namespace vesal::nn {

struct LoweredNetwork {
  engine::Graph graph;
  bool per_sample = true;  ///< whether a batch may be run sample by sample
};

/// For inputs [1, C, spatial...] of this shape, in evaluation mode and float32 on the CPU. Throws Error(unsupported) saying why where the
/// network must stay with libtorch as a whole, Error(shape) where it takes no such input.
LoweredNetwork lower(Network& network, const Shape& input);

}  // namespace vesal::nn
