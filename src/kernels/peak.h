// What one core can do at most: multiply-adds on registers alone.
#pragma once
#include <cstdint>

namespace vesal::kernels {

/// Multiplies and adds float32 vectors `rounds` times over all accumulators there is room for; returns how many floating point operations it were.
double multiply_adds(std::int64_t rounds);

}  // namespace vesal::kernels
