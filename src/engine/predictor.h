// Predictor: how everything above sees a network. libtorch modules, TorchScript and the fused engine all are Predictors.
#pragma once
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::engine {

/// A function from batches to batches. predict() may be called from one thread at a time.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// Inputs [N, C, spatial...], float32 unless the network says otherwise; outputs in the network's order, C-contiguous.
  /// Throws Error(shape) for inputs the network cannot take.
  virtual std::vector<Array> predict(const std::vector<Array>& inputs) = 0;
  /// The names of the last outputs, sorted, if the network returns a dict of them; else none.
  virtual std::vector<std::string> output_keys() const { return {}; }
};

}  // namespace vesal::engine
