// Elastic deformations: a field of places, one per voxel of the result, and images read at them.
//
// A field of places is a VoxelSource with one channel per spatial axis: where the voxel reads, in voxels from the middle of the image it
// is applied to. It is made slab by slab, so that a field as large as the image never exists.
#pragma once
#include <vector>

#include "transforms/resampling.h"

namespace vesal::transforms {

/// Uniform numbers in [-1, 1) that hang on the seed and their own index alone: any box can be made at any time, on any thread.
image::VoxelSourcePtr uniform_noise(std::uint64_t seed, std::int64_t channels, Shape shape);

/// 3D: voxel v reads at matrix * (v - middle + magnitude * offsets[v] smoothed by `sigma` voxels). MONAI: Rand3DElastic.
image::VoxelSourcePtr smoothed_places(image::VoxelSourcePtr offsets, double sigma, double magnitude, const image::Affine& matrix);

/// 2D: extents of the grid of control points, `spacing` pixels apart, for an image of `shape`. MONAI: create_control_grid.
/// Throws Error(config) for more than 2^26 points or a spacing that is not in (0, 65536].
Shape control_shape(const Shape& shape, const std::array<double, 2>& spacing);
/// 2D: control points moved by magnitude * offsets [2, control_shape...], then by the matrix, and cubic between them. MONAI: Rand2DElastic.
image::VoxelSourcePtr control_places(const Array& offsets, const std::array<double, 2>& spacing, double magnitude, const image::Affine& matrix,
                                     const Shape& shape);

struct Deformed {
  Array voxels;  ///< [C, spatial...] with as many axes as the field; any extents
  SampleOptions options;
};
/// The images read at the places, [C, shape of the field...] float32 each. The field is made once, `planes` planes at a time or more.
std::vector<Array> deform(const image::VoxelSource& places, const std::vector<Deformed>& images, std::int64_t planes = 1);

}  // namespace vesal::transforms
