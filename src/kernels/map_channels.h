// Passes over activations that are bound by memory: a function of every number with coefficients per channel, two operands, sums per channel.
#pragma once
#include "kernels/activations.h"

namespace vesal::kernels {

/// out = f(scale * in + shift [+ residual]), or f(scale * in + shift) + residual. All of one shape and layout; out may be `in` or the residual,
/// which may have a scale and a shift of its own.
struct MapCall {
  Activations in, out;
  ChannelMap map;
  Activations residual;                   ///< no data: none
  const float* residual_scale = nullptr;  ///< as those of a ChannelMap; null: as it is
  const float* residual_shift = nullptr;
  bool residual_after = false;   ///< whether it is added after the function
  double* statistics = nullptr;  ///< as channel_statistics(out); or null
};
void map_channels(const MapCall& call);

enum class Operation { add, subtract, multiply };

/// out = a (operation) b: b has a's shape and layout, or a's channels and one voxel. out may be a, or b of a's shape.
void combine(Operation operation, const Activations& a, const Activations& b, const Activations& out);

/// Sums per channel, then sums of squares: [2][16 * blocks(channels)]. Taken around the means of short rows, so that a mean far larger
/// than the deviation leaves the deviation its digits.
void channel_statistics(const Activations& in, double* out);

}  // namespace vesal::kernels
