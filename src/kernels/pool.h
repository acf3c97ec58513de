// Pooling over boxes of voxels.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "kernels/activations.h"

namespace vesal::kernels {

/// Along one axis: output i takes the voxels begin[i], begin[i] + step, ... below end[i], all inside of the input.
struct PoolAxis {
  std::vector<std::int32_t> begin, end;
  std::int32_t step = 1;
  std::vector<float> divisor;  ///< avg_pool: what the sum is divided by, multiplied over the axes

  /// As torch.nn.MaxPool and AvgPool have it.
  static PoolAxis windows(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
                          bool count_include_pad);
  /// As torch.nn.AdaptiveAvgPool has it.
  static PoolAxis adaptive(std::int64_t in, std::int64_t out);
  /// Whether some output takes no voxel at all, as may happen with padding and dilation; the kernels do not do that.
  bool has_empty() const;
};

/// Both layouts; NaN is larger than any number.
void max_pool(const Activations& in, const std::array<PoolAxis, 3>& axes, const Activations& out);
void avg_pool(const Activations& in, const std::array<PoolAxis, 3>& axes, const Activations& out);

}  // namespace vesal::kernels
