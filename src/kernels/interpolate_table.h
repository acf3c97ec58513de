// Tables of torch's interpolate() and of smoothing, one axis each.
#pragma once
#include "kernels/axis_table.h"

namespace vesal::kernels {

enum class ResizeMode { nearest, nearest_exact, linear, cubic, area };
/// `align_corners` matters to linear and cubic only. Positions are computed in float32, as torch does for float32 voxels.
AxisTable interpolate_table(std::int64_t in, std::int64_t out, ResizeMode mode, bool align_corners);

/// A Gaussian of `sigma` voxels, its integrals over voxels as weights, cut at 4 sigma, zeros outside (MONAI: GaussianFilter, "erf").
AxisTable gaussian_table(std::int64_t size, double sigma);

}  // namespace vesal::kernels
