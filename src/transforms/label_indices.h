// Where the voxels of each label are, and crops around voxels that are drawn from them.
#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "image/image.h"

namespace vesal::transforms {

/// Flat indices (C order, int64) of the voxels where any channel of [C, spatial...] is not zero and of those where none is. A label of
/// several channels is one-hot: its first channel does not count. With an image, background is only where any of its channels is above
/// `threshold`. MONAI: map_binary_to_indices. Throws Error(shape) if the grids differ.
std::pair<Array, Array> foreground_background(const Array& label, const Array* image, double threshold);

/// Flat indices of each class: the nonzero voxels of each channel, or, for one channel, those equal to 0, 1, ..., `classes` - 1. With an
/// image, only where any of its channels is above `threshold`. Above `most` voxels (if positive) as many evenly spaced ones stay.
/// MONAI: map_classes_to_indices.
std::vector<Array> class_indices(const Array& label, std::optional<std::int64_t> classes, const Array* image, double threshold, std::int64_t most);

/// The flat index as a place.
Shape unravel(std::int64_t index, const Shape& shape);

/// The begin of a window of `size` voxels around `center`, moved inside of `shape`. MONAI: correct_crop_centers with SpatialCrop.
Shape window_begin(const Shape& center, const Shape& size, const Shape& shape);

}  // namespace vesal::transforms
