// One axis of a separable resampling, as a table: which input voxels an output voxel reads, and with what weights.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace vesal::kernels {

/// nearest rounds halves away from zero, as torch 1.13's grid_sample does in 3D, nearest_even to the even voxel, as it does in 2D.
enum class Interpolation { linear, nearest, nearest_even };
enum class Padding { zeros, border, reflection };

/// Output i is the sum over k < taps of weight[k * out + i] * input[index[k * out + i]]; every index lies in [0, in).
struct AxisTable {
  std::int64_t in = 0, out = 0;
  int taps = 1;
  std::vector<std::int32_t> index;
  std::vector<float> weight;

  bool is_identity() const;
  /// First and one past the last input voxel that is read.
  std::pair<std::int64_t, std::int64_t> range() const;
  /// The outputs [begin, end), reading an input that starts at voxel `origin` and has `size` voxels.
  AxisTable part(std::int64_t begin, std::int64_t end, std::int64_t origin, std::int64_t size) const;
  /// The same for an input that is stored backwards.
  AxisTable reversed() const;
};

/// Output i copies input i.
AxisTable identity_table(std::int64_t size);
/// Output i copies input source[i].
AxisTable pick_table(std::int64_t in, const std::vector<std::int64_t>& source);

/// The `count` coordinates torch's affine_grid lays over an axis, in [-1, 1], rounded as torch rounds them on a machine with AVX2: where
/// a position falls halfway between two voxels, the last bit decides which is nearest.
std::vector<double> grid_coordinates(std::int64_t count, bool align_corners);

/// A coordinate in [-1, 1] as a voxel position, moved inside as the padding asks (not for zeros); torch's grid_sample.
double voxel_position(double coordinate, std::int64_t size, Padding padding, bool align_corners);

/// The voxel nearest to a position.
double nearest_voxel(double position, Interpolation interpolation);

/// torch's grid_sample along one axis: output i reads at coordinate scale * grid_coordinates[i] + shift.
AxisTable grid_sample_table(std::int64_t in, std::int64_t out, double scale, double shift, Interpolation interpolation, Padding padding,
                            bool align_corners);

}  // namespace vesal::kernels
