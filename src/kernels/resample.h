// Resampling of volumes on raw pointers: separable, through one table per axis, and general, through an affine matrix.
#pragma once
#include <array>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/axis_table.h"

namespace vesal::kernels {

/// Channels of a volume of any element type, strided (strides in elements, any sign).
struct VolumeView {
  const void* data = nullptr;
  DType type = DType::f32;
  std::int64_t channels = 1, channel_stride = 0;
  std::array<std::int64_t, 3> size{1, 1, 1}, stride{0, 0, 0};
};

/// out [channels, tables[0].out, tables[1].out, tables[2].out], C order; tables[i].in == in.size[i]. Runs on all threads; holds no
/// intermediate volume but for tables of many taps (more than 16 rows per row).
void resample_separable(const VolumeView& in, const std::array<AxisTable, 3>& tables, float* out);

/// The part [begin, begin + extent) of the output grid of torch's affine_grid + grid_sample: output voxel (i0, i1, i2) reads at
/// theta * (grid[0][i0], grid[1][i1], grid[2][i2], 1), in [-1, 1] of the whole input of `size` voxels.
struct AffineSampling {
  std::array<std::array<double, 4>, 3> theta{};
  std::array<std::int64_t, 3> size{1, 1, 1};
  std::array<std::vector<double>, 3> grid;
  Interpolation interpolation = Interpolation::linear;
  Padding padding = Padding::border;
  bool align_corners = false;

  /// Along one input axis, in input voxels, of `count` output voxels from `first` on along the last output axis.
  void positions(int axis, const std::array<std::int64_t, 3>& first, std::int64_t count, double* out) const;
};

/// `in` holds floats, the voxels from `origin` on of the whole input: at least all those that are read. Throws Error(unsupported) for more
/// than 2^31 of them.
void resample_affine(const VolumeView& in, const std::array<std::int64_t, 3>& origin, const AffineSampling& sampling,
                     const std::array<std::int64_t, 3>& begin, const std::array<std::int64_t, 3>& extent, float* out);

/// Where each voxel of a grid of `extent` reads in an input of `size` voxels: along axis r at place[r][voxel], in voxels from the input's
/// middle; no place[r]: at the middle. As torch's grid_sample without align_corners after MONAI's Resample.
struct DenseSampling {
  std::array<const float*, 3> place{};  ///< C order
  std::array<std::int64_t, 3> extent{1, 1, 1}, size{1, 1, 1};
  Interpolation interpolation = Interpolation::linear;
  Padding padding = Padding::border;

  void positions(int axis, const std::array<std::int64_t, 3>& first, std::int64_t count, double* out) const;
};

/// `in` holds the whole input as floats; the channels of the result start `pitch` floats apart. Throws Error(unsupported) as above.
void resample_dense(const VolumeView& in, const DenseSampling& sampling, float* out, std::int64_t pitch);

}  // namespace vesal::kernels
