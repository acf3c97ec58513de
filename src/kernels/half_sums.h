// Rows of numbers kept as float16: half the memory of sums that need not be exact to the last bit.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace vesal::kernels {

/// sum[i] = x[i] * weight[i], plus sum[i] unless `fresh`; rounded to nearest; numbers beyond float16 become its largest, NaN stays NaN.
void add_weighted_half(const float* x, const float* weight, std::int64_t count, bool fresh, Half* sum);

void half_to_float(const Half* x, std::int64_t count, float* out);

}  // namespace vesal::kernels
