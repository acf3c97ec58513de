// What an iteration of training will take in memory, told from one on a single patch, or on a part of it where there is no other. No libtorch in
// here.
#pragma once
#include <cstdint>
#include <optional>

#include "base/array.h"
#include "base/value.h"

namespace vesal::train {

/// Bytes that forward pass, loss, backward pass and an optimizer of two numbers per parameter need beyond what the process has already.
/// inputs: [N, C, spatial...]; targets: [N, C', spatial...] with the same extents. Neither weights, gradients nor random numbers change.
/// Nothing where it cannot be told: on a GPU, for networks that do not run on half of each extent, for losses that refuse a target of zeros.
std::optional<std::uint64_t> step_memory(const Value& network, const Value& loss, const Shape& inputs, const Shape& targets);

}  // namespace vesal::train
