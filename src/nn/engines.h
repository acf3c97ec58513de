// Engines: the fused CPU engines of a network, one per shape of its input, made when such an input first comes.
#pragma once
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/engine.h"
#include "nn/tensor.h"

namespace vesal::nn {

class Network;

/// One thread at a time. An engine computes with the weights of the moment it was made; all are dropped when a weight changes.
class Engines {
 public:
  /// What the engine of this input's shape gives; nothing where libtorch is to run the network: on other devices than the CPU, with several
  /// inputs, where it cannot be lowered, with VESAL_ENGINE=off, and for batches of networks that mix their samples. The network is in
  /// evaluation mode; `lasting` says that it will stay there and libtorch's memory may go.
  std::optional<std::vector<Array>> predict(Network& network, const std::vector<Array>& inputs, bool lasting);

  /// As Predictor::predict_planes(), on the same terms.
  bool predict_planes(Network& network, const std::vector<Array>& inputs, bool lasting, const engine::TakePlanes& take);

  /// As Predictor::set_bf16().
  void set_bf16(bool on);
  void set_profiling(bool on);
  /// As Predictor::runs().
  Value runs() const;

 private:
  struct Entry {
    Shape shape;  ///< [1, C, spatial...]
    std::unique_ptr<engine::EnginePredictor> engine;
    bool per_sample = true;
    std::string why;  ///< there is no engine
  };
  using Stamp = std::vector<std::pair<const void*, std::uint32_t>>;

  Entry& entry(Network& network, const Shape& shape, bool lasting);
  /// The engine for these inputs; null: libtorch is to run the network.
  engine::EnginePredictor* engine_for(Network& network, const std::vector<Array>& inputs, bool lasting);
  static Stamp stamp_of(const Network& network);

  std::list<Entry> entries_;  ///< the last used first
  Stamp stamp_;               ///< of the weights they were made from
  bool bf16_ = false, profiling_ = false;
};

}  // namespace vesal::nn
