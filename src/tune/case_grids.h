// How large the cases are on the grid that the network is trained on, told from the files' headers.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "judge/cases.h"
#include "tune/base_bundle.h"

namespace vesal::tune {

struct CaseGrid {
  std::vector<double> extents;  ///< voxels per axis after the preprocessing, before any crop to the foreground
  std::vector<double> spacing;  ///< mm
};

/// Of at most `most` cases, evenly taken; files that cannot be looked at are left out (the gate tells of them).
std::vector<CaseGrid> case_grids(const judge::CaseSet& cases, const InferenceSteps& steps, int spatial_dims, std::size_t most = 16);

}  // namespace vesal::tune
