// Innermost loops for few outputs of kernels with three taps along y: each vector of inputs is loaded once for all rows of outputs that read it.
#pragma once
#include "kernels/convolution.h"
#include "kernels/convolution_micro.h"

namespace vesal::kernels {

constexpr std::size_t kSlidingRows = 3;  ///< taps along y

/// Whether its three taps along y read neighbouring rows.
inline bool can_slide(const ConvolutionShape& s) {
  return !s.transposed && s.kernel[1] == static_cast<std::int64_t>(kSlidingRows) && s.stride[1] == 1 && s.dilation[1] == 1;
}
/// As planar_tile; taps are the first of three, which lie row_step apart, and weights are [parts][taps][3][out channels].
PlanarTile sliding_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width);

}  // namespace vesal::kernels
