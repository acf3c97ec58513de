// The walk of a convolution over its outputs: tiles, each with a local copy of the inputs it reads, with zeros past the edges.
#pragma once
#include <array>
#include <vector>

#include "kernels/convolution_axis.h"
#include "kernels/convolution_rows.h"

namespace vesal::kernels {

/// Outputs of one tile, as positions q of the axes' phases.
struct Tile {
  Extents first{0, 0, 0}, size{1, 1, 1};
};

/// Three axes' phases together: which outputs, and what they read from the local copy.
struct TapList {
  std::array<const AxisPhase*, 3> axes{};
  Extents phase{0, 0, 0};
  std::vector<std::int64_t> offsets;       ///< floats
  std::vector<std::int64_t> kernel_index;  ///< x, y, z in one number
};

/// Where the outputs of a row begin in a block or channel of the output, and how far they lie apart; floats.
struct RowPlace {
  std::int64_t begin, step;
};

/// Memory of the calling thread, kept between calls; at least `floats` numbers, none of them NaN at first.
float* thread_scratch(std::int64_t floats);

/// Asks the memory for numbers that will be needed, so that nobody waits for them then.
inline void fetch_row(const float* from, std::int64_t count) {
  constexpr std::int64_t kLine = 64 / sizeof(float);
  for (std::int64_t at = 0; at < count; at += kLine) __builtin_prefetch(from + at, 0, 3);
}

/// n in equal parts of no more than `most`.
inline std::int64_t equal_part(std::int64_t n, std::int64_t most) {
  const std::int64_t parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

class Tiling {
 public:
  /// How local copies hold channels: one after the other; those of a block (or all of planar inputs) beside each other; a block's as pairs of
  /// bfloat16.
  enum class Copy { planar, beside, pairs };
  /// `slack`: positions past the last row that may be read.
  Tiling(const ConvolutionShape& shape, Copy copy, std::int64_t slack);

  std::int64_t count() const { return tiles_[0] * tiles_[1] * tiles_[2]; }
  Tile tile(std::int64_t number) const;
  const std::vector<TapList>& phases() const { return phases_; }
  const Axis& axis(std::size_t a) const { return axes_[a]; }
  /// Floats of a position in the local copy.
  std::int64_t lanes() const { return lanes_; }
  /// Floats of a block's (planar: a channel's) local copy.
  std::int64_t part_size() const { return part_size_; }
  /// Floats from what an output reads to what its neighbour along an axis reads.
  std::int64_t step(std::size_t a) const { return steps_[a]; }

  /// Outputs of the tile along each axis that the phase has.
  Extents outputs(const Tile& tile, const TapList& taps) const;
  /// The row from output position q of a phase on; `width`: floats of a voxel.
  RowPlace place(const TapList& taps, const Extents& out, const Extents& q, std::int64_t width) const;

  /// Copies what a tile reads of all inputs; `map` applies to them. local: part_size() for each block or channel.
  void pack(const Tile& tile, const Activations& in, const ChannelMap& map, float* local) const;
  /// Asks the memory for parts [begin, end) of `parts` of the rows that pack() will read for a tile, so that they are near when it comes to that.
  void fetch(const Tile& tile, const Activations& in, std::int64_t begin, std::int64_t end, std::int64_t parts) const;

 private:
  void pack_row(const Activations& in, std::int64_t part, const PackRow& row, float* out) const;

  ConvolutionShape shape_;
  Copy copy_;
  std::int64_t lanes_;  ///< floats of a position
  std::array<Axis, 3> axes_;
  Extents tile_{1, 1, 1}, tiles_{1, 1, 1}, local_{1, 1, 1};  ///< local_: rows along x and y, positions of a phase along z
  std::int64_t part_size_ = 0;
  Extents steps_{0, 0, 0};
  std::vector<TapList> phases_;
};

/// Walks over n outputs in steps of what a kernel does at once: body(kernel, i, j, k) for kernel.rows rows from (i, j) on and kernel.width outputs
/// from k on. choose(rows, width) gives a kernel for no more rows than that.
template <class Choose, class Body>
void for_each_step(const Extents& n, const Choose& choose, const Body& body) {
  if (voxels(n) == 0) return;
  const auto wide = choose(n[1], n[2]), narrow = choose(n[1] % wide.rows, n[2]), single = choose(std::int64_t{1}, n[2]);
  for (std::int64_t i = 0; i < n[0]; ++i) {
    for (std::int64_t j = 0; j < n[1];) {
      const auto& kernel = j + wide.rows <= n[1] ? wide : j + narrow.rows <= n[1] ? narrow : single;
      for (std::int64_t k = 0; k < n[2]; k += kernel.width) body(kernel, i, j, k);
      j += kernel.rows;
    }
  }
}

}  // namespace vesal::kernels
