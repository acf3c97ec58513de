// The order of windows that keeps least, on grids as whole bodies have them.
#include "infer/brick_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vesal::infer {
namespace {

/// Windows of three bricks per axis, each one or two bricks further than the last; every brick is read by a tile of its own.
struct Grid {
  explicit Grid(unsigned seed) {
    std::mt19937 random(seed);
    for (auto& along : starts) {
      along = {0};
      for (int i = 0; i < 3; ++i) along.push_back(along.back() + 1 + static_cast<std::int64_t>(random() % 2));
    }
    for (std::size_t axis = 0; axis < 3; ++axis) extent[axis] = starts[axis].back() + 3;
    for (std::int64_t b = 0; b < bricks(); ++b) {
      tiles.push_back({b});
      bytes.push_back(100 + random() % 900);
    }
    for (std::int64_t w = 0; w < 64; ++w) windows.push_back(w);
  }
  std::int64_t bricks() const { return extent[0] * extent[1] * extent[2]; }
  BrickSchedule::Layers touched(std::int64_t w) const {
    const std::int64_t from[] = {starts[0][w / 16], starts[1][w / 4 % 4], starts[2][w % 4]};
    BrickSchedule::Layers layers(3);
    for (std::int64_t i = 0; i < 27; ++i)
      layers[i / 9].push_back(((from[0] + i / 9) * extent[1] + from[1] + i / 3 % 3) * extent[2] + from[2] + i % 3);
    return layers;
  }
  BrickSchedule schedule() const {
    return {bricks(), 64, [this](std::int64_t w) { return touched(w); }, tiles};
  }
  std::uint64_t most(const BrickSchedule::Numbers& order) const {
    return schedule().most(order, of_brick(), [](std::int64_t) { return std::uint64_t{0}; });
  }
  BrickSchedule::Bytes of_brick() const {
    return [this](std::int64_t b) { return bytes[b]; };
  }
  std::vector<std::int64_t> starts[3];
  std::int64_t extent[3] = {};
  std::vector<BrickSchedule::Numbers> tiles;
  std::vector<std::uint64_t> bytes;
  BrickSchedule::Numbers windows;
};

TEST(BrickSchedule, TheCheapestOrderKeepsThatOfWindowsThatMeet) {
  double layered = 0, cheapest = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Grid grid(seed);
    const BrickSchedule::Numbers order = grid.schedule().cheapest(grid.windows, grid.of_brick());
    EXPECT_TRUE(std::is_permutation(order.begin(), order.end(), grid.windows.begin(), grid.windows.end()));
    EXPECT_EQ(order[0], 0);
    std::vector<std::int64_t> last(grid.bricks(), -1);
    for (const std::int64_t w : order)
      for (const auto& layer : grid.touched(w))
        for (const std::int64_t b : layer) {
          EXPECT_LT(last[b], w) << "brick " << b;
          last[b] = w;
        }
    layered += static_cast<double>(grid.most(grid.windows)), cheapest += static_cast<double>(grid.most(order));
  }
  EXPECT_LT(cheapest, 0.95 * layered);
}

/// What most() says against counting while the windows come.
TEST(BrickSchedule, TheMostIsWhatThereIs) {
  const Grid grid(3);
  BrickSchedule run = grid.schedule();
  std::vector<bool> there(grid.bricks());
  std::uint64_t now = 0, most = 0, in_the_end = 0;
  for (const std::int64_t w : grid.windows)
    for (const auto& layer : run.wanted(w)) {
      for (const std::int64_t b : layer)
        if (!there[b]) there[b] = true, now += grid.bytes[b];
      most = std::max(most, now);
      for (const std::int64_t t : run.added(layer).ready)
        for (const std::int64_t b : run.tile_done(t)) now -= grid.bytes[b], ++in_the_end;
    }
  EXPECT_EQ(grid.most(grid.windows), most);
  EXPECT_EQ(now, 0u);
  EXPECT_EQ(in_the_end, static_cast<std::uint64_t>(grid.bricks()));
}

}  // namespace
}  // namespace vesal::infer
