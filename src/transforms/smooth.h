// Smoothing of [C, spatial...] voxels.
#pragma once
#include <string>
#include <vector>

#include "kernels/interpolate_table.h"
#include "transforms/resampling.h"

namespace vesal::transforms {

/// MONAI's name of a kernel: erf, sampled or scalespace; throws Error(config).
kernels::GaussianKernel gaussian_kernel(const std::string& approx);

/// Separable Gaussian of sigma[i] voxels along spatial axis i, zeros outside, float32. sigma has one entry per axis; 1 to 3 axes.
Array gaussian_smooth(const Array& voxels, const std::vector<double>& sigma, kernels::GaussianKernel kernel = kernels::GaussianKernel::erf);

/// The median of the (2 * radius + 1)^n voxels around each, edges repeated; float32. radius has one entry per axis; 1 to 3 axes.
Array median_smooth(const Array& voxels, const std::vector<std::int64_t>& radius);

}  // namespace vesal::transforms
