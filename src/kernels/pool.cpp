#include "kernels/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "kernels/map_channels.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// What one row of outputs takes: rows along z, their voxels and the divisor of the two other axes.
#ifndef VESAL_KERNELS_POOL_ROW
#define VESAL_KERNELS_POOL_ROW
namespace vesal::kernels {
struct PoolRow {
  const float* in;  ///< the first voxel of the part
  std::int64_t x_begin, x_end, x_step, y_begin, y_end, y_step;
  std::int64_t x_pitch, y_pitch;  ///< in voxels
  const PoolAxis* z;
  float divisor;
  float* out;
};
}  // namespace vesal::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A row of blocks.
void PoolBlocks(const PoolRow& r, bool max) {
  const hn::CappedTag<float, kBlock> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), n = static_cast<std::int64_t>(r.z->begin.size());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t l = 0; l < kBlock; l += lanes) {
      auto sum = hn::Set(d, max ? -std::numeric_limits<float>::infinity() : 0.0f);
      for (std::int64_t x = r.x_begin; x < r.x_end; x += r.x_step)
        for (std::int64_t y = r.y_begin; y < r.y_end; y += r.y_step)
          for (std::int64_t z = r.z->begin[i]; z < r.z->end[i]; z += r.z->step) {
            const auto v = hn::LoadU(d, r.in + (x * r.x_pitch + y * r.y_pitch + z) * kBlock + l);
            sum = max ? hn::IfThenElse(hn::Or(hn::Gt(v, sum), hn::IsNaN(v)), v, sum) : hn::Add(sum, v);
          }
      if (!max) sum = hn::Div(sum, hn::Set(d, r.divisor * r.z->divisor[i]));
      hn::StoreU(sum, d, r.out + i * kBlock + l);
    }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(PoolBlocks);

/// A row of voxels of `lanes` numbers, one by one.
void pool_plain(const PoolRow& r, bool max, std::int64_t lanes) {
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(r.z->begin.size()); ++i)
    for (std::int64_t l = 0; l < lanes; ++l) {
      float sum = max ? -std::numeric_limits<float>::infinity() : 0;
      for (std::int64_t x = r.x_begin; x < r.x_end; x += r.x_step)
        for (std::int64_t y = r.y_begin; y < r.y_end; y += r.y_step)
          for (std::int64_t z = r.z->begin[i]; z < r.z->end[i]; z += r.z->step) {
            const float v = r.in[(x * r.x_pitch + y * r.y_pitch + z) * lanes + l];
            sum = max ? (v > sum || std::isnan(v) ? v : sum) : sum + v;
          }
      r.out[i * lanes + l] = max ? sum : sum / (r.divisor * r.z->divisor[i]);
    }
}

void pool(const Activations& in, const std::array<PoolAxis, 3>& axes, const Activations& out, bool max) {
  const std::int64_t rows = out.extents[0] * out.extents[1], lanes = in.planar ? 1 : kBlock;
  parallel_for(out.parts() * rows, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t part = i / rows, row = i % rows, x = row / out.extents[1], y = row % out.extents[1];
      const PoolRow r{in.data + part * in.pitch,
                      axes[0].begin[x],
                      axes[0].end[x],
                      axes[0].step,
                      axes[1].begin[y],
                      axes[1].end[y],
                      axes[1].step,
                      in.extents[1] * in.extents[2],
                      in.extents[2],
                      &axes[2],
                      max ? 1 : axes[0].divisor[x] * axes[1].divisor[y],
                      out.data + part * out.pitch + row * out.extents[2] * lanes};
      if (in.planar || use_scalar()) pool_plain(r, max, lanes);
      else HWY_DYNAMIC_DISPATCH(PoolBlocks)(r, max);
    }
  });
}

/// The mean of each channel: one long sum, which is taken in double and on all threads.
void average_all(const Activations& in, const Activations& out) {
  const std::int64_t padded = kBlock * blocks(in.channels);
  std::vector<double> sums(static_cast<std::size_t>(2 * padded));
  channel_statistics(in, sums.data());
  for (std::int64_t c = 0; c < (in.planar ? in.channels : padded); ++c)
    out.data[in.planar ? c * out.pitch : c / kBlock * out.pitch + c % kBlock] =
        static_cast<float>(sums[static_cast<std::size_t>(c)] / static_cast<double>(voxels(in.extents)));
}

bool takes_all(const PoolAxis& axis, std::int64_t in) {
  return axis.begin.size() == 1 && axis.begin[0] == 0 && axis.end[0] == in && axis.divisor[0] == static_cast<float>(in);
}

}  // namespace

PoolAxis PoolAxis::windows(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
                           bool count_include_pad) {
  PoolAxis axis;
  axis.step = static_cast<std::int32_t>(dilation);
  for (std::int64_t i = 0; i < out; ++i) {
    std::int64_t begin = i * stride - padding, end = begin + (kernel - 1) * dilation + 1;
    const std::int64_t padded = std::min(end, in + padding) - begin;
    while (begin < 0) begin += dilation;
    end = std::min(end, in);
    axis.begin.push_back(static_cast<std::int32_t>(begin));
    axis.end.push_back(static_cast<std::int32_t>(end));
    axis.divisor.push_back(static_cast<float>(count_include_pad ? padded : end - begin));
  }
  return axis;
}

PoolAxis PoolAxis::adaptive(std::int64_t in, std::int64_t out) {
  PoolAxis axis;
  for (std::int64_t i = 0; i < out; ++i) {
    axis.begin.push_back(static_cast<std::int32_t>(i * in / out));
    axis.end.push_back(static_cast<std::int32_t>(((i + 1) * in + out - 1) / out));
    axis.divisor.push_back(static_cast<float>(axis.end.back() - axis.begin.back()));
  }
  return axis;
}

bool PoolAxis::has_empty() const {
  for (std::size_t i = 0; i < begin.size(); ++i)
    if (begin[i] >= end[i]) return true;
  return false;
}

void max_pool(const Activations& in, const std::array<PoolAxis, 3>& axes, const Activations& out) { pool(in, axes, out, true); }

void avg_pool(const Activations& in, const std::array<PoolAxis, 3>& axes, const Activations& out) {
  if (takes_all(axes[0], in.extents[0]) && takes_all(axes[1], in.extents[1]) && takes_all(axes[2], in.extents[2])) average_all(in, out);
  else pool(in, axes, out, false);
}

}  // namespace vesal::kernels
#endif
