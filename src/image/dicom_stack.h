// From the slices of a series to stacks of slices; the parts of volumes_of().
#pragma once
#include <utility>
#include <vector>

#include "image/dicom_volume.h"

namespace vesal::image::dicom_stack {

double dot(const Vector3& a, const Vector3& b);
Vector3 minus(const Vector3& a, const Vector3& b);

struct Group {
  std::string part;
  std::vector<DicomSlice> slices;
};
/// Slices of one size, spacing and orientation, and, where several lie at one place, of one time, echo, ... Sorted along the normal.
std::vector<Group> groups_of(const std::vector<DicomSlice>& slices);
/// Whether two slices lie at the same height along their normal.
bool same_height(const DicomSlice& a, const DicomSlice& b);

/// Drops slices that repeat the one before, with a finding, or refuses those that contradict it.
void settle_copies(DicomVolume& volume);
/// Sets step and tilt, or refuses.
void measure(DicomVolume& volume);
/// Refuses damaged files and mixed rescaling; finds what is unusual.
void judge(DicomVolume& volume);

}  // namespace vesal::image::dicom_stack
