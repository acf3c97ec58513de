// Affine maps about the centre of the grid, as Affine, RandAffine and Rotate apply them.
#pragma once
#include "transforms/spatial_step.h"

namespace vesal::transforms {

/// What Affine is told; missing entries change nothing. Angles in radians; shear: 2 factors in 2D, 6 in 3D, row by row beside the
/// diagonal; translation in voxels.
struct AffineParameters {
  std::vector<double> rotate, shear, translate, scale;
};
/// rotate * shear * translate * scale for 2 or 3 spatial axes (MONAI: AffineGrid). In 3D the rotation is about x, then y, then z.
/// Throws Error(unsupported) for another rank.
image::Affine affine_matrix(const AffineParameters& parameters, int rank);

/// The map that takes output voxels to input voxels if both are counted from the centres of their grids.
image::Affine about_centers(const image::Affine& matrix, const Shape& in, const Shape& out);

/// The image resampled to `out` voxels by `voxel_map` (output voxel -> input voxel), as float32. Taken back by the inverse map.
Image resample_by(const Image& image, const image::Affine& voxel_map, const Shape& out, const SampleOptions& options, const std::string& name);

}  // namespace vesal::transforms
