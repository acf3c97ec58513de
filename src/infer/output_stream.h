// Taking a network's output piece by piece, so that classes times volume never exist as a whole.
#pragma once
#include <cstdint>
#include <vector>

#include "image/voxel_source.h"

namespace vesal::infer {

/// A piece of a receiver's work.
struct Tile {
  image::Box reads;         ///< of the output
  std::uint64_t bytes = 0;  ///< of what it makes, which stays
};

/// What an inferer knows once the first window has gone through the network.
struct StreamFacts {
  std::int64_t windows = 0;       ///< all
  std::int64_t windows_left = 0;  ///< that are still to go through the network: those with the same voxels everywhere count once for each value
  std::int64_t batch = 1;         ///< windows that would go through it together
  std::uint64_t held = 0;         ///< the most bytes of blended windows and of what the tiles make that exist at once
  std::uint64_t held_first = 0;   ///< of those, what there is after the first window
  std::uint64_t values = 0;       ///< numbers in the whole output
};

/// Where an inferer sends an output. Called from one thread.
class OutputStream {
 public:
  virtual ~OutputStream() = default;
  /// The first results are there. `output` [C, spatial...] float32 is the whole output, which can be read only where ready() says so.
  /// What no tile reads is not kept. `edges`, per axis, are where pieces of the output end that become final together: tiles that do not
  /// reach across them hold up the least.
  using Edges = std::vector<std::vector<std::int64_t>>;
  virtual std::vector<Tile> begin(image::VoxelSourcePtr output, const Edges& edges) = 0;
  /// After begin(): how many windows may go through the network together. May throw to end it here.
  virtual std::int64_t plan(const StreamFacts& facts) { return facts.batch; }
  /// So many windows have come since the last call, by one call of the network and what was known before.
  virtual void advance(std::int64_t /*windows*/) {}
  /// These tiles can be read; when it returns they have been.
  virtual void ready(const std::vector<std::int64_t>& tiles) = 0;
};

}  // namespace vesal::infer
