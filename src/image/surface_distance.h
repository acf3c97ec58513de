// Distances between the surfaces of two masks, as monai.metrics measures them.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::image {

enum class DistanceRule { euclidean, chessboard, taxicab };
/// By MONAI's names; throws Error(config) otherwise.
DistanceRule parse_distance_rule(const std::string& name);

/// Per surface voxel of one mask the distance to the nearest surface voxel of the other. All infinite, and of the same number both ways, if
/// one mask is empty; no distances if both are.
struct SurfaceDistances {
  std::vector<float> a_to_b, b_to_a;

  /// The larger of both ways' percentiles in [0, 100] (torch.quantile's linear interpolation); the maximum without a percentile. Where it is not
  /// defined (both masks empty; one empty and a percentile asked for): NaN, as MONAI gives. Throws Error(config) on another percentile.
  float hausdorff(std::optional<double> percentile = std::nullopt) const;
  float hausdorff_a_to_b(std::optional<double> percentile = std::nullopt) const;
  float average_symmetric() const;  ///< mean over the surface voxels of both; infinite if one mask is empty, NaN if both are
  float average_a_to_b() const;
  float dice(double tolerance) const;  ///< share of surface voxels no farther than that (Nikolov et al. 2018); NaN if both masks are empty
};

/// a and b: [x, y, z] or any other number of axes, equal shapes, any layout and type; a voxel belongs to the mask if it equals `label` (anything
/// but 0 in a boolean array). spacing: mm along each axis, all 1 if empty; the other rules count voxels and ignore it. A voxel of the
/// surface has a neighbour across a face that is outside of the mask or the array. Exact, and only the joint bounding box is worked on.
/// one_way leaves b_to_a empty. Throws Error(shape | config).
SurfaceDistances surface_distances(const Array& a, const Array& b, const std::vector<double>& spacing = {}, double label = 1,
                                   DistanceRule rule = DistanceRule::euclidean, bool one_way = false);

}  // namespace vesal::image
