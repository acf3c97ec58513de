#include <cmath>

#include "base/cancel.h"
#include "base/parallel.h"
#include "kernels/resample.h"

namespace vesal::kernels {
namespace {

/// The voxels that make one output voxel. Corners outside of the whole volume count as zero and are left out.
struct Corners {
  int count = 0;
  std::array<std::int64_t, 8> offset;
  std::array<float, 8> weight;
};

Corners corners_at(const std::array<double, 3>& p, const VolumeView& in, const std::array<std::int64_t, 3>& origin, const AffineSampling& sampling) {
  const bool linear = sampling.interpolation == Interpolation::linear;
  Corners found;
  for (int k = 0; k < (linear ? 8 : 1); ++k) {
    double w = 1;
    std::int64_t offset = 0;
    bool inside = true;
    for (int r = 0; r < 3; ++r) {
      const double low = linear ? std::floor(p[r]) : nearest_voxel(p[r], sampling.interpolation);
      const bool upper = k >> (2 - r) & 1;
      const double at = low + upper;
      inside = inside && at >= 0 && at <= static_cast<double>(sampling.size[r] - 1);
      if (!inside) break;
      if (linear) w *= upper ? p[r] - low : 1 - (p[r] - low);
      offset += (static_cast<std::int64_t>(at) - origin[r]) * in.stride[r];
    }
    if (!inside || w == 0) continue;
    found.offset[found.count] = offset;
    found.weight[found.count++] = static_cast<float>(w);
  }
  return found;
}

}  // namespace

std::array<double, 3> AffineSampling::position(const std::array<std::int64_t, 3>& v) const {
  std::array<double, 3> p;
  for (int r = 0; r < 3; ++r) {
    const double u = grid[0][v[0]] * theta[r][0] + grid[1][v[1]] * theta[r][1] + grid[2][v[2]] * theta[r][2] + theta[r][3];
    p[r] = voxel_position(u, size[r], padding, align_corners);
  }
  return p;
}

void resample_affine(const VolumeView& in, const std::array<std::int64_t, 3>& origin, const AffineSampling& sampling,
                     const std::array<std::int64_t, 3>& begin, const std::array<std::int64_t, 3>& extent, float* out) {
  const float* data = static_cast<const float*>(in.data);
  const std::int64_t volume = extent[0] * extent[1] * extent[2];
  parallel_for(extent[0] * extent[1], 16, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t row = first; row < end; ++row) {
      check_cancelled();
      for (std::int64_t z = 0; z < extent[2]; ++z) {
        const auto p = sampling.position({begin[0] + row / extent[1], begin[1] + row % extent[1], begin[2] + z});
        const Corners from = corners_at(p, in, origin, sampling);
        for (std::int64_t c = 0; c < in.channels; ++c) {
          float sum = 0;
          for (int k = 0; k < from.count; ++k) sum += from.weight[k] * data[c * in.channel_stride + from.offset[k]];
          out[c * volume + row * extent[2] + z] = sum;
        }
      }
    }
  });
}

}  // namespace vesal::kernels
