// Predictor: how everything above sees a network. libtorch modules, TorchScript and the fused engine all are Predictors.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::engine {

/// Some planes of one sample's output, whole [C, spatial...]: those from `first` on along the first spatial axis.
struct OutputPlanes {
  std::int64_t sample = 0;
  Shape whole;
  std::int64_t first = 0;
  Array values;  ///< [C, planes, spatial...], contiguous float32; its memory is used again for the next ones
};
using TakePlanes = std::function<void(const OutputPlanes&)>;

/// A function from batches to batches. predict() may be called from one thread at a time.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// Inputs [N, C, spatial...], float32 unless the network says otherwise; outputs in the network's order, C-contiguous.
  /// Throws Error(shape) for inputs the network cannot take.
  virtual std::vector<Array> predict(const std::vector<Array>& inputs) = 0;
  /// predict() for those who do not need the output at once: it never exists as a whole, but is handed on plane by plane, all planes of a sample
  /// in their order and sample after sample. False, with nothing done, where that is not to be had: then there is predict().
  virtual bool predict_planes(const std::vector<Array>& /*inputs*/, const TakePlanes& /*take*/) { return false; }
  /// The names of the last outputs, sorted, if the network returns a dict of them; else none.
  virtual std::vector<std::string> output_keys() const { return {}; }
  /// Whether products may be of numbers rounded to bfloat16, with sums in float32; off at first. Ignored where that is no faster.
  virtual void set_bf16(bool) {}
  /// Whether predict() measures what its parts take; off at first. Turning it on forgets earlier measurements.
  virtual void set_profiling(bool) {}
  /// How inputs were run, a list with a dict per shape, the last first: "shape" (of one sample), "libtorch" (why it runs the whole network, or
  /// None), "batches_split" (a batch runs sample by sample; else it goes to libtorch), and of an engine "steps" (as EnginePredictor::explain()
  /// has them), "arena_bytes", "weight_bytes", "scratch_bytes".
  virtual Value runs() const { return List{}; }
  /// No more calls for a while: memory that only saves time in the next one may go back to the system.
  virtual void rest() {}
};

}  // namespace vesal::engine
