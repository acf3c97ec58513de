// Weighted sums of overlapping windows, whole or region by region.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "infer/windows.h"

namespace vesal::infer {

/// A box of voxels of a three-dimensional grid; axes that an image lacks come first and have extent 1.
struct Region {
  std::array<std::int64_t, 3> begin{0, 0, 0}, end{1, 1, 1};
  std::int64_t size(std::size_t axis) const { return std::max<std::int64_t>(0, end[axis] - begin[axis]); }
  std::int64_t voxels() const { return size(0) * size(1) * size(2); }
  bool contains(const Region& other) const;
  Region intersection(const Region& other) const;
  bool operator==(const Region&) const = default;
};

/// Sums weighted windows of one image and divides by the sum of the weights, which never exists as a volume: it is added up
/// row by row from the grid. The output may have another resolution than the input: `window` is its extent for one roi. Immutable.
class Blender {
 public:
  /// Throws Error(shape) if the windows do not fall on whole voxels of the output.
  Blender(WindowGrid grid, const Shape& window, const Array& importance, BlendMode mode);
  /// The output's grid, that of the padded image.
  const Shape& output_shape() const { return shape_; }
  Region whole() const { return {{0, 0, 0}, full_}; }
  /// Where window i lies on it.
  Region window(std::int64_t i) const;
  /// First voxels of the windows along an axis.
  const std::vector<std::int64_t>& starts(std::size_t axis) const { return starts_[axis]; }
  /// The part of it that lies over the image before padding.
  Region over_image() const;
  std::size_t axes() const { return shape_.size(); }
  std::size_t first_axis() const { return 3 - shape_.size(); }

  /// Adds what lies in `region` of the planes of window i's result that begin with `first`, [C, planes, window...] (contiguous float32), to
  /// `sums`, contiguous [C, voxels of region]. Planes lie across the first axis.
  /// float32 sums take the weighted result, to be divided at the end. float16 sums take its share of the blended value: there is nothing to
  /// divide, and no number is larger than the network's own. `fresh`: what is in `sums` is not looked at.
  void add(std::int64_t i, std::int64_t first, const Array& result, const Region& region, Array& sums, bool fresh = false) const;
  /// Divides float32 sums by the weights of all windows.
  void divide(const Region& region, Array& sums) const;
  /// The part of `out` [..., output_shape()...] that lies over the image before padding, a view.
  Array crop(const Array& out) const;

 private:
  void total_weights(std::int64_t x, std::int64_t y, std::int64_t from, std::int64_t to, float* sum) const;

  WindowGrid grid_;
  BlendMode mode_;
  Shape shape_, window_;
  std::array<std::vector<std::int64_t>, 3> starts_;  ///< on the output's grid, with missing leading axes as one start at 0
  std::array<std::int64_t, 3> full_, part_;
  Array importance_;  ///< [window...]
};

}  // namespace vesal::infer
