#include "image/dicom_tilt.h"

#include <algorithm>
#include <cmath>

#include "image/dicom_stack.h"

namespace vesal::image {

Tilt tilt_of(const DicomVolume& volume) {
  Tilt t;
  if (!volume.tilted) return t;
  const DicomSlice& s = volume.slices.front();
  t.step_x = dicom_stack::dot(volume.step, s.along_row) / s.column_spacing;
  t.step_y = dicom_stack::dot(volume.step, s.down) / s.row_spacing;
  const double last = static_cast<double>(volume.slices.size() - 1);
  t.before_x = std::ceil(std::max(0.0, -t.step_x * last));
  t.before_y = std::ceil(std::max(0.0, -t.step_y * last));
  t.more_columns = static_cast<std::int64_t>(std::ceil(std::fabs(t.step_x) * last));
  t.more_rows = static_cast<std::int64_t>(std::ceil(std::fabs(t.step_y) * last));
  return t;
}

}  // namespace vesal::image
