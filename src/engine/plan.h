// Plan: the steps that run a graph, and the activations they read and write, before and after these have a place in memory.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/array.h"
#include "kernels/activations.h"

namespace vesal::engine {

using TensorId = std::size_t;

/// Coefficients of a ChannelMap and sums per channel, as the kernels take them; steps share them by pointer.
struct Coefficients {
  explicit Coefficients(std::int64_t channels) : scale(static_cast<std::size_t>(kernels::blocks(channels) * kernels::kBlock)), shift(scale.size()) {}
  std::vector<float> scale, shift;
};
using Statistics = std::vector<double>;

/// Who gives an activation its memory.
enum class Home { arena, input, output };

/// An activation that exists in memory. Values of a graph that are no [1, C, up to three axes] are one planar channel.
struct Tensor {
  Shape shape;  ///< the graph's
  std::int64_t channels = 0;
  kernels::Extents extents{1, 1, 1};
  bool planar = false;
  std::shared_ptr<Statistics> statistics;  ///< whoever writes it also leaves its sums here; or null

  Home home = Home::arena;
  std::size_t index = 0;           ///< of the input or output that it is
  bool by_planes = false;          ///< home output: whoever writes it hands it on through Memory::give(), some planes at a time
  std::optional<TensorId> inside;  ///< it is a part of this one (of a concatenation), or takes its place over
  std::int64_t first_part = 0;     ///< inside: the first block or planar channel
  std::int64_t offset = 0;         ///< home arena: floats from its start

  std::int64_t parts() const { return planar ? channels : kernels::blocks(channels); }
  std::int64_t part_size() const { return kernels::voxels(extents) * (planar ? 1 : kernels::kBlock); }
  std::int64_t size() const { return parts() * part_size(); }
};

/// Where everything lies during a run.
class Memory {
 public:
  Memory(const std::vector<Tensor>& tensors, float* arena) : tensors_(tensors), arena_(arena) {}
  std::vector<float*> inputs, outputs;
  /// Gets what is written by planes instead of the output: planar activations and the first voxel of each of their channels.
  std::function<void(const kernels::Activations& planes, std::int64_t first)> take;
  kernels::Activations at(TensorId id) const;
  /// Hands on voxels of an output that is made by planes: those from `first` on, which lie in `from` and, if need be, go through `planes`.
  void give(TensorId output, const kernels::Activations& from, const kernels::Activations& planes, std::int64_t first) const;

 private:
  const std::vector<Tensor>& tensors_;
  float* arena_;
};

struct Step {
  std::string what;           ///< "conv + add + prelu"
  std::string label = {};     ///< the node's
  std::string external = {};  ///< why it is not the engine's own; else empty
  std::vector<TensorId> reads = {}, writes = {};
  std::vector<TensorId> may_overwrite = {};  ///< those of `reads` in whose place the result may be written
  double flops = 0;
  std::optional<std::int64_t> copied = {};  ///< floats, if the step only copies them into a part of what it writes
  std::int64_t weight_bytes = 0, scratch_bytes = 0;
  std::function<void(const Memory&)> run = {};
};

struct Plan {
  std::vector<Tensor> tensors;
  std::vector<Step> steps;
  std::int64_t arena_size = 0;  ///< floats
};

/// Gives every tensor a place: results over operands that nobody reads any more, the rest in one arena where those that live at
/// different times share memory.
void place(Plan& plan);

}  // namespace vesal::engine
