// The inner loops of map_channels on rows of floats whose coefficients repeat every 16: a block's lanes, or one planar channel 16 times.
#pragma once
#include <cstdint>

#include "kernels/map_channels.h"

namespace vesal::kernels {

/// 16 numbers each; no scale: neither scale nor shift.
struct MapCoefficients {
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* slope = nullptr;
  Function function = Function::identity;
};

/// What is added: nothing without `x`; 16 numbers of scale and shift, or none.
struct Residual {
  const float* x = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool after = false;
};

/// As MapCall has it.
void map_row(const float* in, const MapCoefficients& c, const Residual& residual, std::int64_t count, float* out);

/// b has `count` numbers or, if it repeats, 16.
void combine_row(Operation operation, const float* a, const float* b, bool repeats, std::int64_t count, float* out);

/// Adds to sum[16] and squares[16] those of the numbers at i, i + 16, ... Rows of many thousand numbers lose digits.
void sum_row(const float* x, std::int64_t count, double* sum, double* squares);

}  // namespace vesal::kernels
