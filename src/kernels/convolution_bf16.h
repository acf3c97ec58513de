// Convolutions on bfloat16 inputs and weights with float32 sums, where the machine multiplies them faster (AVX-512 BF16,
// and AMX: convolution_amx.h).
#pragma once
#include "kernels/convolution_micro.h"
#include "kernels/convolution_rows.h"

namespace vesal::kernels {

/// Whether this machine has it and no instruction set without it was asked for (VESAL_SIMD).
bool has_bf16();

/// Local copies and weights hold pairs of channels, two bfloat16 numbers where others have a float: 8 "floats" a position or row of weights.
constexpr std::int64_t kPairs = kBlock / 2;

/// As micro_tile for blocks of 16 input channels; weights [parts][taps][8 pairs][16 outputs] of pairs.
MicroTile bf16_tile(std::int64_t rows, std::int64_t width);
/// As pack_block_row; numbers are rounded to the nearest, ties to even.
void pack_block_row_bf16(const PackRow& row, float* out);
/// Two numbers beside each other, the first in the lower half.
float bf16_pair(float low, float high);

}  // namespace vesal::kernels
