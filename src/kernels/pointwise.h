// The plain form of the pointwise functions, for tests, tails and machines without vectors; pointwise-inl.h has the vector form.
#pragma once
#include <cmath>

#include "kernels/activations.h"

namespace vesal::kernels {

inline float pointwise(Function function, float x, float slope) {
  switch (function) {
    case Function::identity: return x;
    case Function::relu: return x < 0 ? 0 : x;
    case Function::leaky_relu:
    case Function::prelu: return x < 0 ? slope * x : x;
    case Function::silu: return x / (1 + std::exp(-x));
    case Function::sigmoid: return 1 / (1 + std::exp(-x));
    case Function::tanh: return std::tanh(x);
    case Function::elu: return x < 0 ? slope * std::expm1(x) : x;
  }
  return x;
}

/// The slope of a channel: its own, the one for all, or zero where there is none.
inline float slope_at(const Pointwise& f, std::int64_t channel) {
  const std::size_t at = f.slope.size() == 1 ? 0 : static_cast<std::size_t>(channel);
  return at < f.slope.size() ? f.slope[at] : 0;
}
/// Those of all channels, up to whole blocks.
inline std::vector<float> slopes_of(const Pointwise& f, std::int64_t channels) {
  std::vector<float> out(static_cast<std::size_t>(blocks(channels) * kBlock));
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = slope_at(f, static_cast<std::int64_t>(c));
  return out;
}

/// Whether f(0) is 0, so that lanes of zeros stay zeros.
inline bool keeps_zero(Function function) { return function != Function::sigmoid; }

}  // namespace vesal::kernels
