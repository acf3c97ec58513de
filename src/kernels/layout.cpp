#include "kernels/layout.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layout.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Four rows of four numbers, in columns: to[i * to_pitch + j] = from[j * from_pitch + i].
HWY_INLINE void Transpose4(const float* from, std::int64_t from_pitch, float* to, std::int64_t to_pitch) {
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 4; ++j) to[i * to_pitch + j] = from[j * from_pitch + i];
#else
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> d2;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + from_pitch), c = hn::LoadU(d, from + 2 * from_pitch),
             e = hn::LoadU(d, from + 3 * from_pitch);
  const auto ab0 = hn::BitCast(d2, hn::InterleaveLower(d, a, b)), ab1 = hn::BitCast(d2, hn::InterleaveUpper(d, a, b));
  const auto ce0 = hn::BitCast(d2, hn::InterleaveLower(d, c, e)), ce1 = hn::BitCast(d2, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, ab0, ce0)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, ab0, ce0)), d, to + to_pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, ab1, ce1)), d, to + 2 * to_pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, ab1, ce1)), d, to + 3 * to_pitch);
#endif
}

/// `channels` and `count` are multiples of 4.
void PlanesToBlock(const float* from, std::int64_t from_pitch, std::int64_t channels, std::int64_t count, float* to) {
  for (std::int64_t v = 0; v < count; v += 4)
    for (std::int64_t c = 0; c < channels; c += 4) Transpose4(from + c * from_pitch + v, from_pitch, to + v * kBlock + c, kBlock);
}

void BlockToPlanes(const float* from, std::int64_t channels, std::int64_t count, float* to, std::int64_t to_pitch) {
  for (std::int64_t v = 0; v < count; v += 4)
    for (std::int64_t c = 0; c < channels; c += 4) Transpose4(from + v * kBlock + c, kBlock, to + c * to_pitch + v, to_pitch);
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(PlanesToBlock);
HWY_EXPORT(BlockToPlanes);

constexpr std::int64_t kTile = 512;  ///< voxels

/// Channels from here on up to the next border of a block in either array, and where they are.
struct Run {
  const float* from;
  float* to;
  std::int64_t channels, clear;  ///< lanes of `to` after them that become zeros
};

Run run_at(const Activations& from, const Activations& to, std::int64_t first, std::int64_t c, std::int64_t voxel) {
  const auto place = [&](const Activations& a, std::int64_t channel) {
    return a.planar ? a.data + channel * a.pitch + voxel : a.data + channel / kBlock * a.pitch + voxel * kBlock + channel % kBlock;
  };
  std::int64_t n = from.channels - c, lane = (first + c) % kBlock;
  if (!from.planar) n = std::min(n, kBlock - c % kBlock);
  if (!to.planar) n = std::min(n, kBlock - lane);
  const bool last = c + n == from.channels;
  return {place(from, c), place(to, first + c), n, !to.planar && last ? kBlock - lane - n : 0};
}

void planes_to_block(const Run& r, std::int64_t from_pitch, std::int64_t count) {
  const std::int64_t quick = use_scalar() ? 0 : count / 4 * 4, channels = r.channels / 4 * 4;
  if (quick && channels) HWY_DYNAMIC_DISPATCH(PlanesToBlock)(r.from, from_pitch, channels, quick, r.to);
  for (std::int64_t v = 0; v < count; ++v) {
    for (std::int64_t c = v < quick ? channels : 0; c < r.channels; ++c) r.to[v * kBlock + c] = r.from[c * from_pitch + v];
    std::fill_n(r.to + v * kBlock + r.channels, r.clear, 0.0f);
  }
}

void block_to_planes(const Run& r, std::int64_t to_pitch, std::int64_t count) {
  const std::int64_t quick = use_scalar() ? 0 : count / 4 * 4, channels = r.channels / 4 * 4;
  if (quick && channels) HWY_DYNAMIC_DISPATCH(BlockToPlanes)(r.from, channels, quick, r.to, to_pitch);
  for (std::int64_t c = 0; c < r.channels; ++c)
    for (std::int64_t v = c < channels ? quick : 0; v < count; ++v) r.to[c * to_pitch + v] = r.from[v * kBlock + c];
}

void block_to_block(const Run& r, std::int64_t count) {
  if (r.channels == kBlock) {
    std::memcpy(r.to, r.from, sizeof(float) * static_cast<std::size_t>(kBlock * count));
    return;
  }
  for (std::int64_t v = 0; v < count; ++v) {
    std::copy_n(r.from + v * kBlock, r.channels, r.to + v * kBlock);
    std::fill_n(r.to + v * kBlock + r.channels, r.clear, 0.0f);
  }
}

}  // namespace

Activations dense(float* data, std::int64_t channels, const Extents& extents) { return {data, channels, extents, true, voxels(extents)}; }

void copy_channels(const Activations& from, const Activations& to, std::int64_t first) {
  const std::int64_t n = voxels(from.extents), tiles = (n + kTile - 1) / kTile;
  parallel_for(tiles, std::max<std::int64_t>(1, 32 / from.channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const std::int64_t voxel = tile * kTile, count = std::min(kTile, n - voxel);
      for (std::int64_t c = 0; c < from.channels;) {
        Run r = run_at(from, to, first, c, voxel);
        c += r.channels;
        if (from.planar && to.planar) {
          for (std::int64_t k = 0; k < r.channels; ++k)
            std::memcpy(r.to + k * to.pitch, r.from + k * from.pitch, sizeof(float) * static_cast<std::size_t>(count));
        } else if (from.planar) {
          planes_to_block(r, from.pitch, count);
        } else if (to.planar) {
          block_to_planes(r, to.pitch, count);
        } else {
          block_to_block(r, count);
        }
      }
    }
  });
}

void pad(const Activations& in, const Extents& before, float value, const Activations& out) {
  const std::int64_t lanes = in.planar ? 1 : kBlock, rows = out.extents[0] * out.extents[1], width = out.extents[2];
  const std::int64_t begin = std::clamp<std::int64_t>(before[2], 0, width), end = std::clamp(before[2] + in.extents[2], begin, width);
  parallel_for(out.parts() * rows, std::max<std::int64_t>(1, 8192 / (width * lanes)), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t part = i / rows, x = i % rows / out.extents[1] - before[0], y = i % rows % out.extents[1] - before[1];
      const std::int64_t used = in.planar ? 1 : std::min(kBlock, in.channels - part * kBlock);
      float* to = out.data + part * out.pitch + i % rows * width * lanes;
      const auto fill = [&](std::int64_t a, std::int64_t b) {
        for (std::int64_t z = a; z < b; ++z)
          for (std::int64_t l = 0; l < lanes; ++l) to[z * lanes + l] = l < used ? value : 0;
      };
      const bool inside = x >= 0 && x < in.extents[0] && y >= 0 && y < in.extents[1];
      if (!inside) {
        fill(0, width);
        continue;
      }
      fill(0, begin);
      const float* from = in.data + part * in.pitch + ((x * in.extents[1] + y) * in.extents[2] + begin - before[2]) * lanes;
      std::copy(from, from + (end - begin) * lanes, to + begin * lanes);
      fill(end, width);
    }
  });
}

}  // namespace vesal::kernels
#endif
