// The upright grid around a sheared stack of slices: every slice is the grid's plane shifted along x and y.
#pragma once
#include <cstdint>

#include "image/dicom_volume.h"

namespace vesal::image {

struct Tilt {
  double step_x = 0, step_y = 0;                 ///< columns and rows that a slice lies further than the one before
  double before_x = 0, before_y = 0;             ///< columns and rows of the grid before the first pixel of slice 0; whole numbers
  std::int64_t more_columns = 0, more_rows = 0;  ///< of the grid, beyond those of the slices
  /// Where pixel (0, 0) of slice z lies on the grid; at least 0.
  double shift_x(std::int64_t z) const { return before_x + step_x * static_cast<double>(z); }
  double shift_y(std::int64_t z) const { return before_y + step_y * static_cast<double>(z); }
};
/// All zeros for a volume that is not tilted.
Tilt tilt_of(const DicomVolume& volume);

}  // namespace vesal::image
