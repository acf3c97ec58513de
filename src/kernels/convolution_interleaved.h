// Innermost loops for transposed convolutions of stride 2 along z to few channels: outputs of both phases are summed together and brought out beside
// each other, so that inputs are loaded once for both and stores are whole vectors.
#pragma once
#include <array>

#include "kernels/convolution_micro.h"

namespace vesal::kernels {

/// What a tap adds to: the outputs of both phases (two taps of the kernel that read the same input), of the first, of the second.
constexpr std::size_t kInterleavedKinds = 3;

/// Outputs of 1 to 4 channels at rows x width positions, two at each; a vector holds neighbouring positions. Inputs are planar in the local copy.
struct InterleavedCall {
  const float* local = nullptr;
  struct Taps {
    const std::int64_t* offsets = nullptr;
    std::int64_t count = 0;
  };
  std::array<Taps, kInterleavedKinds> taps;
  std::int64_t parts = 1, part_step = 0;  ///< input channels
  std::int64_t row_step = 0;
  const float* weights = nullptr;  ///< [parts], of each: [taps of both][phase][out channels], [taps of the first][out channels], the second's
  const float* bias = nullptr;     ///< [out channels]
  float* out = nullptr;            ///< [out channels][rows][width][phase]
};
using InterleavedMicro = void (*)(const InterleavedCall&);
struct InterleavedTile {
  int rows = 1, width = 1;
  InterleavedMicro run = nullptr;
};
InterleavedTile interleaved_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width);

}  // namespace vesal::kernels
