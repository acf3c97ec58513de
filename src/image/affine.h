// 4x4 affine matrices, voxel index -> world, RAS millimetres, double precision.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::image {

/// Row-major 4x4. For 2D images the third axis is the identity.
struct Affine {
  std::array<std::array<double, 4>, 4> m{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  double operator()(int r, int c) const { return m[r][c]; }
  double& operator()(int r, int c) { return m[r][c]; }
  bool operator==(const Affine&) const = default;
  static Affine scale(double x, double y, double z);
  static Affine translate(double x, double y, double z);
  static Affine from_array(const Array& a);  ///< [4,4] or [3,3] (2D); throws Error(shape)
  Array to_array() const;                    ///< [4,4] float64
};

Affine operator*(const Affine& a, const Affine& b);
/// Throws Error(geometry) if singular or not finite.
Affine inverse(const Affine& a);
std::array<double, 3> apply(const Affine& a, const std::array<double, 3>& point);
/// Voxel sizes in mm: the lengths of the first three columns.
std::array<double, 3> spacing_of(const Affine& a);
/// Largest absolute difference of any entry.
double max_difference(const Affine& a, const Affine& b);
/// Throws Error(geometry) if an entry is not finite or the 3x3 part is singular.
void check(const Affine& a);

/// The orthogonal 3x3 matrix nearest to the directions of the voxel axes: shears and zooms taken off, a reflection kept.
/// Throws Error(geometry) as check() does.
std::array<std::array<double, 3>, 3> nearest_rotation(const Affine& a);

/// Where each voxel axis points, as nibabel's io_orientation and aff2axcodes: axis i of the array runs along world axis
/// `axis[i]` (0 = left-right, 1 = back-front, 2 = foot-head), in positive direction if `sign[i]` is +1.
struct Orientation {
  std::array<int, 3> axis;
  std::array<int, 3> sign;
  bool operator==(const Orientation&) const = default;
};
Orientation orientation_of(const Affine& a);
std::string axcodes(const Orientation& o);            ///< "RAS", "LPS", ...
Orientation parse_axcodes(const std::string& codes);  ///< throws Error(usage) on anything but three distinct axes

}  // namespace vesal::image
