#include "kernels/convolution_tiles.h"

#include <algorithm>

#include "kernels/convolution_bf16.h"

namespace vesal::kernels {
namespace {

constexpr std::int64_t kLongest = 48;            ///< outputs of a tile along z
constexpr std::int64_t kMostRows = 8;            ///< of a tile along x and along y
constexpr std::int64_t kMostPlanarRows = 16;     ///< where they are short in bytes, for less of what two tiles both copy
constexpr std::int64_t kEnoughTiles = 32;        ///< for all threads; fewer only where tiles would become small
constexpr std::int64_t kWhole = 7;               ///< shorter extents are one tile: deep layers have few outputs and large weights
constexpr std::int64_t kLocalFloats = 96 << 10;  ///< what the copies of all inputs may take: a part of the cache that a core has for itself

}  // namespace

Tiling::Tiling(const ConvolutionShape& shape, Copy copy, std::int64_t slack)
    : shape_(shape),
      copy_(copy),
      lanes_(copy == Copy::planar                       ? 1
             : copy == Copy::pairs                      ? kPairs
             : shape.in_channels <= kMostPlanarChannels ? shape.in_channels
                                                        : kBlock) {
  for (std::size_t a = 0; a < 3; ++a) axes_[a] = convolution_axis(shape, a);
  for (std::int64_t rows = copy == Copy::planar ? kMostPlanarRows : kMostRows; rows > 2; rows -= 2) {
    for (std::size_t a = 0; a < 3; ++a) {
      const std::int64_t n = std::max<std::int64_t>(1, axes_[a].count);
      tile_[a] = a == 2 ? equal_part(n, copy == Copy::planar ? 2 * kLongest : kLongest) : n <= kWhole ? n : equal_part(n, rows);
      tiles_[a] = (n + tile_[a] - 1) / tile_[a];
      local_[a] = axes_[a].reach(tile_[a]);
    }
    if (voxels(local_) * shape.in_channels <= kLocalFloats && (rows <= kMostRows || count() >= kEnoughTiles)) break;
  }
  const std::int64_t z_phases = axes_[2].in_step;
  local_[2] = (local_[2] + z_phases - 1) / z_phases;
  const std::int64_t position = lanes_, row = z_phases * local_[2] * position;
  part_size_ = local_[0] * local_[1] * row + slack * position;
  steps_ = {axes_[0].in_step * local_[1] * row, axes_[1].in_step * row, position};
  for (std::size_t x = 0; x < axes_[0].phases.size(); ++x) {
    for (std::size_t y = 0; y < axes_[1].phases.size(); ++y) {
      for (std::size_t z = 0; z < axes_[2].phases.size(); ++z) {
        TapList list;
        list.axes = {&axes_[0].phases[x], &axes_[1].phases[y], &axes_[2].phases[z]};
        list.phase = {static_cast<std::int64_t>(x), static_cast<std::int64_t>(y), static_cast<std::int64_t>(z)};
        for (const auto& tx : list.axes[0]->taps) {
          for (const auto& ty : list.axes[1]->taps) {
            for (const auto& tz : list.axes[2]->taps) {
              const std::int64_t dz = tz.offset - axes_[2].low;
              list.offsets.push_back(((tx.offset - axes_[0].low) * local_[1] + ty.offset - axes_[1].low) * row +
                                     (dz % z_phases * local_[2] + dz / z_phases) * position);
              list.kernel_index.push_back((tx.index * shape.kernel[1] + ty.index) * shape.kernel[2] + tz.index);
            }
          }
        }
        phases_.push_back(std::move(list));
      }
    }
  }
}

Tile Tiling::tile(std::int64_t number) const {
  const Extents at{number / (tiles_[1] * tiles_[2]), number / tiles_[2] % tiles_[1], number % tiles_[2]};
  Tile t;
  for (std::size_t a = 0; a < 3; ++a) {
    t.first[a] = at[a] * tile_[a];
    t.size[a] = std::min(tile_[a], std::max<std::int64_t>(1, axes_[a].count) - t.first[a]);
  }
  return t;
}

float* thread_scratch(std::int64_t floats) {
  thread_local std::vector<float> memory;
  if (static_cast<std::int64_t>(memory.size()) < floats) memory.assign(static_cast<std::size_t>(floats), 0.0f);
  return memory.data();
}

Extents Tiling::outputs(const Tile& tile, const TapList& taps) const {
  Extents n;
  for (std::size_t a = 0; a < 3; ++a) n[a] = std::clamp<std::int64_t>(taps.axes[a]->count - tile.first[a], 0, tile.size[a]);
  return n;
}

RowPlace Tiling::place(const TapList& taps, const Extents& out, const Extents& q, std::int64_t width) const {
  Extents o;
  for (std::size_t a = 0; a < 3; ++a) o[a] = taps.phase[a] + q[a] * axes_[a].out_step;
  return {((o[0] * out[1] + o[1]) * out[2] + o[2]) * width, axes_[2].out_step * width};
}

void Tiling::pack(const Tile& tile, const Activations& in, const ChannelMap& map, float* local) const {
  const std::int64_t row_size = axes_[2].in_step * local_[2] * lanes_;
  const Extents first{tile.first[0] * axes_[0].in_step + axes_[0].low, tile.first[1] * axes_[1].in_step + axes_[1].low,
                      tile.first[2] * axes_[2].in_step + axes_[2].low};
  const std::int64_t width = in.planar ? 1 : kBlock;
  PackRow row;
  row.count = in.extents[2];
  row.first = first[2];
  row.step = axes_[2].in_step;
  row.length = local_[2];
  row.phase_size = local_[2] * lanes_;
  row.function = map.after.function;
  float slopes[kBlock];
  row.slope = slopes;
  for (std::int64_t part = 0; part < in.parts(); ++part) {
    const std::int64_t channel = in.planar ? part : part * kBlock;
    for (std::int64_t k = 0; k < kBlock; ++k) slopes[k] = slope_at(map.after, channel + k);
    row.scale = map.scale ? map.scale + channel : nullptr;
    row.shift = map.scale ? map.shift + channel : nullptr;
    for (std::int64_t i = 0; i < axes_[0].reach(tile.size[0]); ++i) {
      for (std::int64_t j = 0; j < axes_[1].reach(tile.size[1]); ++j) {
        const std::int64_t x = first[0] + i, y = first[1] + j;
        const bool inside = x >= 0 && x < in.extents[0] && y >= 0 && y < in.extents[1];
        row.in = inside ? in.data + part * in.pitch + (x * in.extents[1] + y) * in.extents[2] * width : nullptr;
        pack_row(in, part, row, local + (i * local_[1] + j) * row_size);
      }
    }
  }
}

void Tiling::fetch(const Tile& tile, const Activations& in, std::int64_t begin, std::int64_t end, std::int64_t parts) const {
  constexpr std::int64_t kLine = 64 / sizeof(float);
  const std::int64_t width = in.planar ? 1 : kBlock, z_first = tile.first[2] * axes_[2].in_step + axes_[2].low;
  const std::int64_t z_begin = std::clamp<std::int64_t>(z_first, 0, in.extents[2]) * width,
                     z_end = std::clamp<std::int64_t>(z_first + axes_[2].reach(tile.size[2]), 0, in.extents[2]) * width;
  const std::int64_t nx = axes_[0].reach(tile.size[0]), ny = axes_[1].reach(tile.size[1]), rows = in.parts() * nx * ny;
  const std::int64_t first = begin * rows / parts, last = end * rows / parts;
  std::int64_t channel = first / (nx * ny), i = first / ny % nx, j = first % ny;
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t x = tile.first[0] * axes_[0].in_step + axes_[0].low + i, y = tile.first[1] * axes_[1].in_step + axes_[1].low + j;
    if (x >= 0 && x < in.extents[0] && y >= 0 && y < in.extents[1]) {
      const float* from = in.data + channel * in.pitch + (x * in.extents[1] + y) * in.extents[2] * width;
      for (std::int64_t at = z_begin; at < z_end; at += kLine) __builtin_prefetch(from + at, 0, 2);
    }
    if (++j < ny) continue;
    j = 0;
    if (++i == nx) i = 0, ++channel;
  }
}

/// Row (i, j) of one block or channel; `out` is where it goes in the first part.
void Tiling::pack_row(const Activations& in, std::int64_t part, const PackRow& row, float* out) const {
  if (in.planar) {
    if (copy_ == Copy::planar) pack_planar_row(row, out + part * part_size_, 1);
    else pack_planar_row(row, out + part, lanes_);
  } else if (copy_ == Copy::planar) {
    const std::int64_t channel = part * kBlock;
    pack_block_row_planar(row, out + channel * part_size_, part_size_, std::min(kBlock, in.channels - channel));
  } else if (copy_ == Copy::pairs) {
    pack_block_row_bf16(row, out + part * part_size_);
  } else {
    pack_block_row(row, out + part * part_size_);
  }
}

}  // namespace vesal::kernels
