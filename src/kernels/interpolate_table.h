// Tables of torch's interpolate() and of smoothing, one axis each.
#pragma once
#include "kernels/axis_table.h"

namespace vesal::kernels {

enum class ResizeMode { nearest, nearest_exact, linear, cubic, area };
/// `align_corners` matters to linear and cubic only. Positions are computed in float32, as torch does for float32 voxels.
AxisTable interpolate_table(std::int64_t in, std::int64_t out, ResizeMode mode, bool align_corners);

/// Weights of a Gaussian: its integrals over voxels, its values scaled by rule to about the sum 1, or Lindeberg's discrete kernel.
enum class GaussianKernel { erf, sampled, scalespace };
/// A Gaussian of `sigma` voxels, cut at `truncated` sigma, zeros outside (MONAI: GaussianFilter).
AxisTable gaussian_table(std::int64_t size, double sigma, GaussianKernel kernel = GaussianKernel::erf, double truncated = 4);

}  // namespace vesal::kernels
