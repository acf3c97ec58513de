// The k-th smallest of many values, without sorting them.
#pragma once
#include <cstdint>
#include <vector>

#include "base/array.h"

namespace vesal::image {

/// The values at the given ranks (0-based, in [0, numel)) of the sorted array, exactly, as float32. Two parallel passes, no copy of a
/// float32 array. NaN sorts last, -0 before 0. Any layout; throws Error(shape) for a rank outside.
std::vector<float> values_at_ranks(const Array& values, const std::vector<std::int64_t>& ranks);

/// The array's values in one C-contiguous block, in whatever order they lie in memory: copies only if there are gaps.
Array in_memory_order(const Array& array);

}  // namespace vesal::image
