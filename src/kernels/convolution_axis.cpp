#include "kernels/convolution_axis.h"

#include <algorithm>
#include <limits>

namespace vesal::kernels {
namespace {

/// Output o gets input i through tap k where o = i * stride + k * dilation - padding.
std::vector<AxisPhase> transposed_phases(const ConvolutionShape& s, std::size_t a) {
  std::vector<AxisPhase> phases;
  for (std::int64_t phase = 0; phase < std::min(s.stride[a], s.out[a]); ++phase) {
    AxisPhase p;
    p.count = (s.out[a] - phase + s.stride[a] - 1) / s.stride[a];
    for (std::int64_t k = 0; k < s.kernel[a]; ++k) {
      const std::int64_t at = phase + s.padding[a] - k * s.dilation[a];
      if (at % s.stride[a] == 0) p.taps.push_back({k, at / s.stride[a]});
    }
    phases.push_back(std::move(p));
  }
  return phases;
}

}  // namespace

Axis convolution_axis(const ConvolutionShape& s, std::size_t a) {
  Axis axis;
  axis.in = s.in[a];
  if (s.transposed) {
    axis.out_step = s.stride[a];
    axis.phases = transposed_phases(s, a);
  } else {
    axis.in_step = s.stride[a];
    AxisPhase p;
    p.count = s.out[a];
    for (std::int64_t k = 0; k < s.kernel[a]; ++k) p.taps.push_back({k, k * s.dilation[a] - s.padding[a]});
    axis.phases.push_back(std::move(p));
  }
  axis.low = std::numeric_limits<std::int64_t>::max();
  axis.high = std::numeric_limits<std::int64_t>::min();
  for (const AxisPhase& p : axis.phases) {
    axis.count = std::max(axis.count, p.count);
    for (const AxisPhase::Tap& t : p.taps) {
      axis.low = std::min(axis.low, t.offset);
      axis.high = std::max(axis.high, t.offset);
    }
  }
  if (axis.low > axis.high) axis.low = axis.high = 0;  // no tap reaches any output
  return axis;
}

}  // namespace vesal::kernels
