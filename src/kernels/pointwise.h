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

/// Whether f(0) is 0, so that lanes of zeros stay zeros.
inline bool keeps_zero(Function function) { return function != Function::sigmoid; }

}  // namespace vesal::kernels
