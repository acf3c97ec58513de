// When the bricks of a sliding window's output come and go: counting, without any voxels.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace vesal::infer {

/// Windows make bricks, tiles (what the output is worked on by) read them. A window comes layer by layer of the bricks it touches, and goes on
/// when what the last layer made ready is done. A brick is begun by the first window that touches it and finished by the last; a tile is ready when
/// the bricks it reads are finished; a brick is over when the tiles that read it are done. Bricks that no tile reads are never begun. Copies go their
/// own ways: one can be run through to know what will be.
class BrickSchedule {
 public:
  using Numbers = std::vector<std::int64_t>;
  using Layers = std::vector<Numbers>;
  /// `touched` tells the bricks a window touches, `tiles` those each tile reads.
  BrickSchedule(std::int64_t bricks, std::int64_t windows, std::function<Layers(std::int64_t window)> touched, std::vector<Numbers> tiles);

  /// The bricks to add window i to.
  Layers wanted(std::int64_t window) const;
  struct Progress {
    Numbers finished;  ///< bricks
    Numbers ready;     ///< tiles
  };
  /// All that a window has for these bricks is added.
  Progress added(const Numbers& bricks);
  /// Tiles that read nothing: ready from the beginning.
  Numbers ready_at_once() const;
  /// The bricks that are over with it.
  Numbers tile_done(std::int64_t tile);

  using Bytes = std::function<std::uint64_t(std::int64_t)>;
  /// The most bytes at once of bricks and of what the tiles have made, if the windows come in this order and every tile is worked on as
  /// soon as it is ready.
  std::uint64_t most(const Numbers& order, const Bytes& of_brick, const Bytes& of_tile) const;
  /// These windows, from the first on always the one that lets the bricks grow least. Windows that share a brick keep their order, so that
  /// its sums are the same to the last bit.
  Numbers cheapest(const Numbers& windows, const Bytes& of_brick) const;

 private:
  std::function<Layers(std::int64_t)> touched_;
  std::vector<Numbers> tiles_, readers_;
  Numbers windows_left_, tiles_left_;  ///< per brick: windows to come, tiles to be done
  Numbers bricks_left_;                ///< per tile: bricks to be finished
};

}  // namespace vesal::infer
