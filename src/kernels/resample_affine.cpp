#include <algorithm>
#include <cmath>
#include <limits>

#include "base/cancel.h"
#include "base/error.h"
#include "base/parallel.h"
#include "kernels/resample.h"
#include "kernels/rows.h"

namespace vesal::kernels {
namespace {

constexpr int kChunk = 64;

/// What a chunk of an output row reads along one input axis: one voxel (nearest) or two (linear), as offsets from the first voxel.
struct AxisTaps {
  std::int32_t offset[2][kChunk];
  float weight[2][kChunk];
};

/// Positions may lie anywhere and be NaN: places beyond the volume get weight 0 and an offset inside of it.
void axis_taps(const double* position, int count, std::int64_t size, std::int64_t origin, std::int64_t stride, Interpolation interpolation,
               AxisTaps& taps) {
  const double low = -2, high = static_cast<double>(size) + 1;
  const std::int32_t last = static_cast<std::int32_t>(size - 1);
  const auto put = [&](int k, int i, std::int32_t at, float weight) {
    const std::int32_t inside = std::clamp(at, 0, last);
    taps.offset[k][i] = static_cast<std::int32_t>((inside - origin) * stride);
    taps.weight[k][i] = inside == at ? weight : 0.f;
  };
  for (int i = 0; i < count; ++i) {
    const double x = position[i] > low ? (position[i] < high ? position[i] : high) : low;
    std::int32_t whole = static_cast<std::int32_t>(x);
    whole -= x < whole;
    const double fraction = x - whole;
    if (interpolation == Interpolation::linear) {
      put(0, i, whole, static_cast<float>(1 - fraction));
      put(1, i, whole + 1, static_cast<float>(fraction));
    } else {  // nearest_voxel() without a call of round()
      const bool tie_up = interpolation == Interpolation::nearest_even ? whole & 1 : whole >= 0;
      put(0, i, whole + (fraction > 0.5 || (fraction == 0.5 && tie_up)), 1.f);
    }
  }
}

/// One row of the output, chunk by chunk. Sampling: AffineSampling or DenseSampling.
template <class Sampling>
class RowSampler {
 public:
  RowSampler(const VolumeView& in, const std::array<std::int64_t, 3>& origin, const Sampling& sampling)
      : in_(in), origin_(origin), sampling_(sampling), corners_(sampling.interpolation == Interpolation::linear ? 2 : 1) {}

  /// `count` voxels from `voxel` on along the last axis; channels are `pitch` apart in `out`.
  void sample(const std::array<std::int64_t, 3>& voxel, std::int64_t count, float* out, std::int64_t pitch) {
    for (std::int64_t z = 0; z < count; z += kChunk) {
      const int n = static_cast<int>(std::min<std::int64_t>(kChunk, count - z));
      for (int r = 0; r < 3; ++r) {
        double position[kChunk];
        sampling_.positions(r, {voxel[0], voxel[1], voxel[2] + z}, n, position);
        axis_taps(position, n, sampling_.size[r], origin_[r], in_.stride[r], sampling_.interpolation, axes_[r]);
      }
      combine(n);
      for (std::int64_t c = 0; c < in_.channels; ++c)
        gather_row(static_cast<const float*>(in_.data) + c * in_.channel_stride, index_, weight_, corners_ * corners_ * corners_, kChunk, n,
                   out + c * pitch + z);
    }
  }

 private:
  /// The taps of the three axes as those of the voxel.
  void combine(int n) {
    int tap = 0;
    for (int a = 0; a < corners_; ++a)
      for (int b = 0; b < corners_; ++b) {
        std::int32_t offset[kChunk];
        float weight[kChunk];
        for (int i = 0; i < n; ++i) {
          offset[i] = axes_[0].offset[a][i] + axes_[1].offset[b][i];
          weight[i] = axes_[0].weight[a][i] * axes_[1].weight[b][i];
        }
        for (int c = 0; c < corners_; ++c, ++tap)
          for (int i = 0; i < n; ++i) {
            index_[tap * kChunk + i] = offset[i] + axes_[2].offset[c][i];
            weight_[tap * kChunk + i] = weight[i] * axes_[2].weight[c][i];
          }
      }
  }

  const VolumeView& in_;
  const std::array<std::int64_t, 3>& origin_;
  const Sampling& sampling_;
  int corners_;
  AxisTaps axes_[3];
  std::int32_t index_[8 * kChunk];
  float weight_[8 * kChunk];
};

/// All rows of `extent` voxels from `begin` on; channels are `pitch` apart.
template <class Sampling>
void sample_rows(const VolumeView& in, const std::array<std::int64_t, 3>& origin, const Sampling& sampling, const std::array<std::int64_t, 3>& begin,
                 const std::array<std::int64_t, 3>& extent, float* out, std::int64_t pitch) {
  std::int64_t reach = 0;
  for (int r = 0; r < 3; ++r) reach += std::abs(in.stride[r]) * (in.size[r] - 1);
  if (reach > std::numeric_limits<std::int32_t>::max() || *std::max_element(sampling.size.begin(), sampling.size.end()) > (1 << 30))
    throw Error(ErrorKind::unsupported, "resampling a volume of more than 2^31 voxels at once");
  parallel_for(extent[0] * extent[1], 16, [&](std::int64_t first, std::int64_t end) {
    RowSampler<Sampling> rows(in, origin, sampling);
    for (std::int64_t row = first; row < end; ++row) {
      check_cancelled();
      rows.sample({begin[0] + row / extent[1], begin[1] + row % extent[1], begin[2]}, extent[2], out + row * extent[2], pitch);
    }
  });
}

}  // namespace

void AffineSampling::positions(int axis, const std::array<std::int64_t, 3>& first, std::int64_t count, double* out) const {
  const double from = grid[0][first[0]] * theta[axis][0] + grid[1][first[1]] * theta[axis][1], by = theta[axis][2], add = theta[axis][3];
  const double* u = grid[2].data() + first[2];
  const double n = static_cast<double>(size[axis]);
  if (padding != Padding::reflection && !align_corners) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = ((from + u[i] * by + add + 1) * n - 1) / 2;
    if (padding == Padding::border)
      for (std::int64_t i = 0; i < count; ++i) out[i] = std::min(n - 1, std::max(out[i], 0.0));
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) out[i] = voxel_position(from + u[i] * by + add, size[axis], padding, align_corners);
}

void resample_affine(const VolumeView& in, const std::array<std::int64_t, 3>& origin, const AffineSampling& sampling,
                     const std::array<std::int64_t, 3>& begin, const std::array<std::int64_t, 3>& extent, float* out) {
  sample_rows(in, origin, sampling, begin, extent, out, extent[0] * extent[1] * extent[2]);
}

void DenseSampling::positions(int axis, const std::array<std::int64_t, 3>& first, std::int64_t count, double* out) const {
  if (!place[axis]) {
    std::fill(out, out + count, voxel_position(0, size[axis], padding, false));
    return;
  }
  const float* from = place[axis] + (first[0] * extent[1] + first[1]) * extent[2] + first[2];
  const double to_unit = 2.0 / static_cast<double>(std::max<std::int64_t>(2, size[axis]));
  for (std::int64_t i = 0; i < count; ++i) out[i] = voxel_position(from[i] * to_unit, size[axis], padding, false);
}

void resample_dense(const VolumeView& in, const DenseSampling& sampling, float* out, std::int64_t pitch) {
  sample_rows(in, {0, 0, 0}, sampling, {0, 0, 0}, sampling.extent, out, pitch);
}

}  // namespace vesal::kernels
