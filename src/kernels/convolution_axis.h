// How outputs and inputs of a convolution lie to each other along one axis; the same description serves transposed ones.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/convolution.h"

namespace vesal::kernels {

/// Outputs phase + q * out_step, q in [0, count), read inputs q * in_step + offset, one offset per tap of the kernel. A transposed
/// convolution of stride s is s such phases, each a convolution with some of the taps; others have one phase.
struct AxisPhase {
  struct Tap {
    std::int64_t index, offset;  ///< index: in the kernel
  };
  std::int64_t count = 0;
  std::vector<Tap> taps;
};

struct Axis {
  std::int64_t in = 1, in_step = 1, out_step = 1;
  std::vector<AxisPhase> phases;
  std::int64_t low = 0, high = 0;  ///< least and greatest offset of all taps
  std::int64_t count = 0;          ///< the greatest of the phases' counts

  /// Inputs between the first and the last that n outputs of a phase read.
  std::int64_t reach(std::int64_t n) const { return (n - 1) * in_step + high - low + 1; }
};

Axis convolution_axis(const ConvolutionShape& shape, std::size_t axis);

}  // namespace vesal::kernels
