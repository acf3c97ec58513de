// EnginePredictor: runs a Graph of one input shape on the CPU, fused and planned once, window after window in the same memory.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/value.h"
#include "engine/graph.h"
#include "engine/predictor.h"

namespace vesal::engine {

/// Bytes an engine holds: `arena` and `weights` as long as it lives, `scratch` for a moment while a step runs.
struct EngineMemory {
  std::int64_t arena = 0, weights = 0, scratch = 0;
};

struct EngineOptions {
  /// Convolutions multiply bfloat16 numbers where the machine has instructions for that and float32 ones otherwise; all else is float32.
  bool bf16 = false;
};

/// The fused engine. As every Predictor it serves one thread at a time; inside it uses all threads of parallel_for.
class EnginePredictor : public Predictor {
 public:
  /// Optimizes and plans; the graph's constants are packed and let go. Throws Error(unsupported) for an operator that has neither a
  /// step here nor an External, Error(shape) for a graph that contradicts itself.
  explicit EnginePredictor(Graph graph, const EngineOptions& options = {});
  ~EnginePredictor() override;
  EnginePredictor(const EnginePredictor&) = delete;
  EnginePredictor& operator=(const EnginePredictor&) = delete;

  /// As many float32 arrays as the graph has inputs, each of its shape but for the batch axis: any number of samples, the same for all,
  /// run one after the other. The outputs are the graph's, in its order. Throws Error(shape).
  std::vector<Array> predict(const std::vector<Array>& inputs) override;

  /// For graphs whose only output is made by a convolution of one voxel into many channels.
  bool predict_planes(const std::vector<Array>& inputs, const TakePlanes& take) override;

  void set_profiling(bool on) override;
  /// A list with a dict per step, in the order they run: "step" (what is fused, "conv + add + prelu"), "label" (where it comes from), "in" and
  /// "out" (lists of shapes), "gflop", "mb" (read and written), "ms" (per sample; None unless profiled), "external" (why libtorch runs it, or None).
  Value explain() const;
  EngineMemory memory() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vesal::engine
