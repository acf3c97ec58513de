// libtorch on tensors without numbers (the device "meta"): tells what shapes come out, and costs nothing.
#pragma once

namespace vesal::nn {

/// Adds what this libtorch cannot do there of what our networks are made of: convolutions, normalizations, some activations and pools.
void add_shape_kernels();

}  // namespace vesal::nn
