// Labels from a network's output while it is still being computed.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "image/image.h"
#include "infer/output_stream.h"

namespace vesal::infer {

/// Postprocessing of the shape activations, inverse, labels: what is lazy is set up once, on an output that is not there yet, and labels are
/// made tile by tile of the result's grid. Tiles are worked on in parallel.
class LabelStream : public OutputStream {
 public:
  struct Steps {
    std::string key;  ///< of the output in the item
    /// Transforms of an item that leave the output deferred: Activationsd, Invertd.
    std::vector<Value> lazy;
    /// For so many channels: AsDiscreted of `key` alone, whose results are labels (argmax or threshold).
    std::function<Value(std::int64_t channels)> discretize;
  };
  /// `place` is where the output lies: the network's input, whose voxels are not looked at.
  LabelStream(Dict item, const image::Image& place, Steps steps);

  std::vector<Tile> begin(image::VoxelSourcePtr output, const Edges& edges) override;
  void ready(const std::vector<std::int64_t>& tiles) override;

  /// The item after these steps: labels as a transforms::StoredSource. When all tiles have been ready.
  Dict result() const;
  /// Spent in ready().
  double seconds() const { return seconds_; }
  /// Bytes of the labels, after begin().
  std::uint64_t label_bytes() const { return labels_.nbytes(); }

 private:
  image::Image discretized(const image::Image& part) const;
  void work(std::int64_t tile);
  std::vector<std::int64_t> cuts(int axis, std::int64_t longest, const Edges& edges) const;
  std::vector<image::Box> cut(const Edges& edges) const;

  Dict item_;
  image::Image place_, shaped_;
  Steps steps_;
  Value discretize_;
  image::VoxelSourcePtr source_;  ///< after the lazy steps
  std::vector<image::Box> boxes_;
  Array labels_;  ///< [C, spatial...]
  DType seen_as_ = DType::f32;
  double seconds_ = 0;
};

}  // namespace vesal::infer
