// Whether two images lie on one grid, and one image's voxels in the order of the other's.
#pragma once
#include <array>
#include <optional>

#include "image/image.h"

namespace vesal::judge {

/// The volume [x, y, z] of an image that may have further axes of one: channels first or last. Throws Error(shape) on anything else.
Array volume_of(const image::Image& image);

/// The largest distance in mm between the centres of equal corner voxels.
double corner_distance(const Shape& shape, const image::Affine& a, const image::Affine& b);
/// How far apart corners may lie: a tenth of the smallest voxel size, as headers round.
double grid_tolerance(const image::Affine& affine);
bool same_grid(const Shape& shape, const image::Affine& affine, const Shape& other_shape, const image::Affine& other);

/// The volume with its axes turned and flipped so that it lies on this grid; nothing if it is another grid. A view.
std::optional<Array> on_grid(const Array& volume, const image::Affine& affine, const Shape& wanted_shape, const image::Affine& wanted);

}  // namespace vesal::judge
