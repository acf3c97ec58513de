// The two inner loops of separable resampling, on rows of floats.
#pragma once
#include <cstdint>

namespace vesal::kernels {

/// out[i] = sum over k < n of weights[k] * rows[k][i], for i < count.
void weighted_rows(const float* const* rows, const float* weights, int n, std::int64_t count, float* out);

/// out[j] = sum over k < taps of weight[k * pitch + j] * row[index[k * pitch + j]], for j < count.
void gather_row(const float* row, const std::int32_t* index, const float* weight, int taps, std::int64_t pitch, std::int64_t count, float* out);

}  // namespace vesal::kernels
