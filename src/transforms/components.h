// Connected components of voxels. Runs along the last axis are joined by union-find (Rosenfeld and Pfaltz 1966; He, Chao and Suzuki
// 2008): memory goes with the number of runs, not of voxels. ITK's filter knows faces or all neighbours only, not what is between.
#pragma once
#include <cstdint>
#include <vector>

#include "base/array.h"

namespace vesal::transforms {

/// A stretch of foreground along the last axis: voxels [begin, end) of a row; rows are counted in C order of the other axes.
struct Run {
  std::int64_t row, begin, end;
  std::int64_t component;
};

struct Components {
  std::vector<Run> runs;            ///< in C order
  std::vector<std::int64_t> sizes;  ///< voxels of each component; numbered by their first voxel in C order
};

/// Components of the nonzero voxels of a C-contiguous uint8 mask of any rank. Voxels touch that differ by at most one along at most
/// `connectivity` axes: 1 is faces only, the rank is all neighbours. Throws Error(config) for another connectivity.
Components components_of(const Array& mask, int connectivity);

/// Fills the runs of the components for which chosen[component] in an array shaped as the mask was.
void fill_runs(Array& voxels, const Components& components, const std::vector<bool>& chosen, double value);

}  // namespace vesal::transforms
