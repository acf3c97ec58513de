// What a convolution does to rows on their way: into its local copy, and from its sums to the output.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/pointwise.h"

namespace vesal::kernels {

/// A row of inputs into the local copy: position p * step .. of each of `step` phases lies at out + phase * phase_size, one after another.
/// Position 0 is input `first`; what lies outside [0, count) becomes zeros.
struct PackRow {
  const float* in = nullptr;  ///< input 0 of the row; null: the whole row lies outside
  std::int64_t count = 0, first = 0, step = 1;
  std::int64_t length = 0;      ///< positions per phase
  std::int64_t phase_size = 0;  ///< floats
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* slope = nullptr;  ///< of the block's channels
  Function function = Function::identity;
};
/// The positions of a phase that lie inside the row, as [begin, end).
struct Inside {
  std::int64_t begin, end;
};
inline Inside inside_of(const PackRow& r, std::int64_t phase) {
  const std::int64_t start = r.first + phase;  // input start + j * step in [0, count)
  const std::int64_t begin = start >= 0 ? 0 : (-start + r.step - 1) / r.step;
  const std::int64_t end = start >= r.count ? 0 : (r.count - start + r.step - 1) / r.step;
  const std::int64_t last = std::clamp<std::int64_t>(end, 0, r.length);
  return {std::min(begin, last), last};
}
/// Input j of a phase, of `width` channels beside each other, after scale, shift and function; zero outside. The plain form of what follows.
inline float packed_input(const PackRow& r, std::int64_t phase, std::int64_t j, std::int64_t width, std::int64_t channel) {
  const std::int64_t at = r.first + phase + j * r.step;
  if (!r.in || at < 0 || at >= r.count) return 0;
  const float x = r.in[at * width + channel];
  return pointwise(r.function, r.scale ? r.scale[channel] * x + r.shift[channel] : x, r.slope[channel]);
}
/// One block: 16 floats a position, in and out.
void pack_block_row(const PackRow& row, float* out);
/// One block to 16 planar rows, `channel_step` floats apart; only the first `channels` are made.
void pack_block_row_planar(const PackRow& row, float* out, std::int64_t channel_step, std::int64_t channels);
/// One planar channel; outputs `out_step` floats apart (1, or the number of channels where they are interleaved).
void pack_planar_row(const PackRow& row, float* out, std::int64_t out_step);

/// Sums to outputs.
struct FinishRow {
  const float* sums = nullptr;
  std::int64_t count = 0;
  float* out = nullptr;
  const float* residual = nullptr;  ///< laid out as the output; null: none
  std::int64_t out_step = 0;        ///< floats from one output to the next
  bool residual_after = false;
  const float* slope = nullptr;  ///< of the block's channels
  Function function = Function::identity;
  const float* keep = nullptr;  ///< [16] ones for channels there are, zeros past the last; null: all
  double* sum = nullptr;        ///< [16] the outputs are added to it; or null
  double* square = nullptr;     ///< [16] their squares
};
/// `sums` [count][16] of one block.
void finish_block_row(const FinishRow& row);
/// `sums` [count] of one planar channel; slope, sum and square hold one number.
void finish_planar_row(const FinishRow& row);
/// Rows of the same length below each other: floats from one to the next, of the sums and of outputs and residual.
struct RowsBelow {
  std::int64_t count = 1, sums_step = 0, out_step = 0;
};
void finish_planar_rows(const FinishRow& first, const RowsBelow& rows);

/// Sums per item, [items][parts][2][lanes] of outputs and of their squares, into [2][16 * parts]: item by item, so that the result does not hang on
/// which thread did what.
void add_up(const std::vector<double>& sums, std::int64_t parts, std::int64_t lanes, double* statistics);

}  // namespace vesal::kernels
