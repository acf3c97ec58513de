// From one grid to another given by its affine: what Spacing, SpatialResample and SaveImage share.
#pragma once
#include <optional>
#include <string>

#include "transforms/grid_rules.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {

/// `image` resampled to float32 on the grid `to` with extents `shape`; leaves a step `name` on the trail. Affines of the image's rank.
/// Throws Error(unsupported) for more than three spatial axes, Error(geometry) for a singular affine.
Image regridded(const Image& image, const image::Affine& to, const Shape& shape, const SampleOptions& options, const std::string& name);

/// The same for an affine of any rank; without a shape the grid covers the image's field of view.
Image resampled_to(const Image& image, const image::Affine& to, const std::optional<Shape>& shape, const SampleOptions& options,
                   const std::string& name);

}  // namespace vesal::transforms
