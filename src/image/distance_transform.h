// Distance transforms: how far the nearest marked voxel is.
#pragma once
#include <cstdint>
#include <vector>

#include "base/array.h"

namespace vesal::image {

/// Per voxel of `wanted` (C order, extents `shape`), the Euclidean distance to the nearest nonzero voxel of `marked`; elsewhere the result is not
/// defined. Exact up to float32 (Felzenszwalb and Huttenlocher 2012, axis by axis, in parallel). spacing: one number per axis.
/// At least one voxel must be marked.
std::vector<float> euclidean_distances(const std::uint8_t* marked, const std::uint8_t* wanted, const Shape& shape,
                                       const std::vector<double>& spacing);

/// The same in steps to neighbours across faces (taxicab), or across edges and corners too (chessboard).
std::vector<float> taxicab_distances(const std::uint8_t* marked, const Shape& shape);
std::vector<float> chessboard_distances(const std::uint8_t* marked, const Shape& shape);

}  // namespace vesal::image
