// The innermost loops of the convolutions, one set per instruction set: a tile of outputs stays in registers while everything is summed.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/activations.h"

namespace vesal::kernels {

/// Outputs of one block of 16 channels at rows x width positions. Inputs lie in a local copy that reaches past every edge.
struct MicroCall {
  const float* local = nullptr;        ///< what the first output reads at offset 0
  const std::int64_t* taps = nullptr;  ///< offsets in floats
  std::int64_t tap_count = 0;
  std::int64_t parts = 1, part_step = 0;  ///< blocks of input channels, floats from one to the next
  std::int64_t row_step = 0;              ///< floats from what one row of outputs reads to what the next reads
  const float* weights = nullptr;         ///< [parts][taps][input channels of a block][16]
  const float* bias = nullptr;            ///< [16]
  float* out = nullptr;                   ///< [rows][width][16]
};
using Micro = void (*)(const MicroCall&);

/// A kernel for at least so many positions as the instruction set has room for, and no more rows than given.
struct MicroTile {
  int rows = 1, width = 1;
  Micro run = nullptr;
};
/// The tile for `rows` rows of `width` outputs where `kPositions` sums fit into registers, as many as possible; of.operator()<kRows, kWidth>() gives
/// its kernel. Of one row there is every width up to 8, then every second; of two rows up to 14, of four up to 7.
template <int kPositions, class Of>
MicroTile choose_tile(std::int64_t rows, std::int64_t width, const Of& of) {
  MicroTile best;
  const std::int64_t tiles = (width + kPositions - 1) / kPositions;
  const int wanted = static_cast<int>((width + tiles - 1) / tiles);
  const auto offer = [&]<int kRows, int... kWidths>(std::integer_sequence<int, kRows>, std::integer_sequence<int, kWidths...>) {
    const auto one = [&]<int kWidth>(std::integral_constant<int, kWidth>) {
      if constexpr (kRows * kWidth <= kPositions)
        if (!best.run && kWidth >= wanted && kRows <= std::max<std::int64_t>(1, rows))
          best = {kRows, kWidth, of.template operator()<kRows, kWidth>()};
    };
    (one(std::integral_constant<int, kWidths>()), ...);
  };
  offer(std::integer_sequence<int, 4>(), std::integer_sequence<int, 1, 2, 3, 4, 5, 6, 7>());
  offer(std::integer_sequence<int, 2>(), std::integer_sequence<int, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14>());
  offer(std::integer_sequence<int, 1>(), std::integer_sequence<int, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28>());
  return best;
}
/// How to walk over `rows` rows of `width` outputs. input_channels: of a block of the local copy, 1 to 4 or 16.
MicroTile micro_tile(std::int64_t input_channels, std::int64_t rows, std::int64_t width);
/// The same for depthwise convolutions: weights [taps][16], inputs in blocks, `parts` is one, one row.
MicroTile depthwise_tile(std::int64_t width);
/// Positions past the last that a tile may read and compute, and floats of the sums of one, on AMX too.
constexpr std::int64_t kMicroSlack = 28, kMostMicroSums = 4 * 16 * kBlock;

/// Outputs of 1 to 4 channels at rows x width positions; a vector holds neighbouring positions. Inputs are planar in the local copy.
struct PlanarCall {
  const float* local = nullptr;
  const std::int64_t* taps = nullptr;
  std::int64_t tap_count = 0;
  std::int64_t parts = 1, part_step = 0;  ///< input channels
  std::int64_t row_step = 0;
  const float* weights = nullptr;  ///< [parts][taps][out channels]
  const float* bias = nullptr;     ///< [out channels]
  float* out = nullptr;            ///< [out channels][rows][width]
};
using PlanarMicro = void (*)(const PlanarCall&);
struct PlanarTile {
  int rows = 1, width = 1;
  PlanarMicro run = nullptr;
};
/// The tile of the most rows, 4, 2 or 1, and then the narrowest that needs no more steps than the widest of kMost vectors of kLanes outputs;
/// kSums: the most rows * vectors. of.operator()<kRows, kVectors>() gives its kernel.
template <class Tile, int kLanes, int kMost, int kSums, class Of>
Tile choose_planar_tile(std::int64_t rows, std::int64_t width, const Of& of) {
  const std::int64_t vectors = (width + kLanes - 1) / kLanes, steps = (vectors + kMost - 1) / kMost;
  const auto wanted = static_cast<int>((vectors + steps - 1) / steps);
  Tile best;
  const auto offer = [&]<int kRows, int... kVectors>(std::integer_sequence<int, kRows>, std::integer_sequence<int, kVectors...>) {
    const auto one = [&]<int kOfRow>(std::integral_constant<int, kOfRow>) {
      if constexpr (kRows * kOfRow <= kSums)
        if (!best.run && kOfRow >= wanted && kRows <= std::max<std::int64_t>(1, rows))
          best = {kRows, kOfRow * kLanes, of.template operator()<kRows, kOfRow>()};
    };
    (one(std::integral_constant<int, kVectors + 1>()), ...);
  };
  offer(std::integer_sequence<int, 4>(), std::make_integer_sequence<int, kMost>());
  offer(std::integer_sequence<int, 2>(), std::make_integer_sequence<int, kMost>());
  offer(std::integer_sequence<int, 1>(), std::make_integer_sequence<int, kMost>());
  return best;
}
/// of.operator()<kOut>() for 1 to 4 output channels.
template <class Of>
auto for_few_channels(std::int64_t out_channels, const Of& of) {
  switch (out_channels) {
    case 1: return of.template operator()<1>();
    case 2: return of.template operator()<2>();
    case 3: return of.template operator()<3>();
    default: return of.template operator()<4>();
  }
}
PlanarTile planar_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width);
constexpr std::int64_t kPlanarSlack = 96, kMostPlanarSums = 24 * 16;

}  // namespace vesal::kernels
