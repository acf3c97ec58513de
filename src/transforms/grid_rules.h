// Where an output grid lies: MONAI's rules for shapes and affines (monai.data.utils), in its order of operations, since whether an
// extent of x.5 voxels rounds up or down hangs on the last bit. All for the first `rank` axes of 4x4 affines.
#pragma once
#include <array>
#include <vector>

#include "image/affine.h"

namespace vesal::transforms {

/// MONAI's AFFINE_TOL: grids nearer than this are the same.
inline constexpr double kAffineTolerance = 1e-3;

/// a^-1 * b; throws Error(geometry) if a is singular.
image::Affine solve(const image::Affine& a, const image::Affine& b);
/// Voxel sizes; zero counts as one.
std::vector<double> voxel_sizes(const image::Affine& a, int rank);
/// The affine with other voxel sizes, without shearing and translation; `diagonal` drops the rotation too. Sizes that are not
/// positive keep the affine's own.
image::Affine zoom_affine(const image::Affine& a, std::vector<double> sizes, bool diagonal, int rank);

struct ShapeOffset {
  Shape shape;
  std::array<double, 3> offset;
};
/// Extents and origin of a grid with `out`'s axes that covers `shape` voxels of `in`; throws Error(geometry) if that is no usable grid.
ShapeOffset shape_and_offset(const Shape& shape, const image::Affine& in, const image::Affine& out, bool scale_extent);
/// Output voxel -> input voxel when `in` voxels become `out` voxels over the same field of view.
image::Affine scale_affine(const Shape& in, const Shape& out);
/// numpy.allclose of all entries.
bool all_close(const image::Affine& a, const image::Affine& b, double tolerance);

}  // namespace vesal::transforms
