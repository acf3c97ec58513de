// Enlarging by the nearest voxel or linearly, as torch.nn.Upsample does.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/activations.h"

namespace vesal::kernels {

/// Along one axis: output i is (1 - weight[i]) * in[lower[i]] + weight[i] * in[upper[i]]; nearest: no upper, no weights.
struct UpsampleAxis {
  std::vector<std::int32_t> lower, upper;
  std::vector<float> weight;

  /// `scale` as torch passes it on: output over input, nothing: from the extents. Computed in float, as torch does.
  static UpsampleAxis nearest(std::int64_t in, std::int64_t out, std::optional<double> scale);
  static UpsampleAxis linear(std::int64_t in, std::int64_t out, std::optional<double> scale, bool align_corners);
};

/// Both layouts; the axes are all nearest or all linear.
void upsample(const Activations& in, const std::array<UpsampleAxis, 3>& axes, const Activations& out);

}  // namespace vesal::kernels
