// The sliding window's output piece by piece: bricks and the order of windows that keeps few of them.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "base/parallel.h"
#include "base/progress.h"
#include "infer/brick_schedule.h"
#include "infer/bricks.h"
#include "infer/sliding_window.h"
#include "infer/window_feeder.h"

namespace vesal::infer {
namespace {

/// Channels from which on sums are kept as float16.
constexpr std::int64_t kManyChannels = 32;
/// Less than this between one layer of windows and the next is no reason to take them in another order than MONAI does.
constexpr double kWorthTurning = 64e6;
/// For more windows than this it would take too long to weigh each against the others.
constexpr std::size_t kMostWeighed = 1024;

/// All windows, layer by layer along the axis across which the least is kept between layers, and whether that is much; the first is always
/// window 0.
std::pair<std::vector<std::int64_t>, bool> layered_order(const Blender& blender, double bytes_per_voxel) {
  std::array<double, 3> kept{};
  std::array<std::size_t, 3> order{0, 1, 2};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto& starts = blender.starts(axis);
    std::int64_t overlap = 0;
    for (std::size_t i = 1; i < starts.size(); ++i) overlap = std::max(overlap, starts[i - 1] + blender.window(0).size(axis) - starts[i]);
    kept[axis] = bytes_per_voxel * static_cast<double>(overlap * (blender.whole().voxels() / blender.whole().size(axis)));
  }
  const bool much = kept[blender.first_axis()] > kWorthTurning;
  if (much) std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return kept[a] < kept[b]; });
  std::array<std::int64_t, 3> n{}, step{}, at{};
  for (std::size_t axis = 0; axis < 3; ++axis) n[axis] = static_cast<std::int64_t>(blender.starts(axis).size());
  step = {n[1] * n[2], n[2], 1};
  std::vector<std::int64_t> windows;
  for (at[0] = 0; at[0] < n[order[0]]; ++at[0])
    for (at[1] = 0; at[1] < n[order[1]]; ++at[1])
      for (at[2] = 0; at[2] < n[order[2]]; ++at[2]) windows.push_back(at[0] * step[order[0]] + at[1] * step[order[1]] + at[2] * step[order[2]]);
  return {windows, much};
}

/// One output on its way: bricks, who still needs them, and the receiver.
class Streaming {
 public:
  Streaming(Blender blender, std::int64_t channels, OutputStream& to)
      : bricks_(std::make_shared<Bricks>(std::move(blender), channels, channels < kManyChannels ? DType::f32 : DType::f16)), to_(to) {
    std::vector<BrickSchedule::Numbers> tiles;
    for (const Tile& tile : to.begin(bricks_, bricks_->edges())) {
      tiles.push_back(layout().touched(bricks_->region_of(tile.reads)));
      tile_bytes_.push_back(tile.bytes);
    }
    std::int64_t windows = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) windows *= static_cast<std::int64_t>(bricks_->blender().starts(axis).size());
    const auto touched = [bricks = bricks_](std::int64_t w) {
      BrickSchedule::Layers layers;
      std::int64_t last = -1;
      for (const std::int64_t b : bricks->layout().touched(bricks->blender().window(w))) {
        const std::int64_t plane = bricks->layout().region(b).begin[bricks->blender().first_axis()];
        if (std::exchange(last, plane) != plane) layers.emplace_back();
        layers.back().push_back(b);
      }
      return layers;
    };
    schedule_.emplace(layout().count(), windows, touched, std::move(tiles));
  }

  /// Before anything was added: the order of windows that keeps little.
  std::vector<std::int64_t> order() const {
    const double bytes_per_voxel = static_cast<double>(bricks_->channels()) * (bricks_->channels() < kManyChannels ? 4 : 2);
    const auto [layered, much] = layered_order(bricks_->blender(), bytes_per_voxel);
    if (!much || layered.size() > kMostWeighed) return layered;
    const std::vector<std::int64_t> cheapest = schedule_->cheapest(layered, [&](std::int64_t b) { return bricks_->bytes(b); });
    return most(cheapest) < most(layered) ? cheapest : layered;
  }
  /// Before anything was added: the most bytes that these windows keep at once.
  std::uint64_t most(const std::vector<std::int64_t>& windows) const {
    const auto of_brick = [&](std::int64_t b) { return bricks_->bytes(b); };
    return schedule_->most(windows, of_brick, [&](std::int64_t t) { return tile_bytes_[static_cast<std::size_t>(t)]; });
  }
  void begin() { work(schedule_->ready_at_once()); }
  /// Planes of a window, those of each window in their order.
  void add(std::int64_t window, const engine::OutputPlanes& planes) {
    const std::size_t across = bricks_->blender().first_axis();
    const Region whole = bricks_->blender().window(window);
    const std::int64_t begin = whole.begin[across] + planes.first, end = begin + planes.values.size(1);
    for (const BrickSchedule::Numbers& layer : schedule_->wanted(window)) {
      const Region bricks = layout().region(layer[0]);
      const std::int64_t last = std::min(bricks.end[across], whole.end[across]);
      if (bricks.begin[across] >= end || last <= begin) continue;
      parallel_for(static_cast<std::int64_t>(layer.size()), 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) bricks_->add(layer[static_cast<std::size_t>(i)], window, planes.first, planes.values);
      });
      if (last > end) continue;  // more of this layer is to come
      const BrickSchedule::Progress progress = schedule_->added(layer);
      for (const std::int64_t b : progress.finished) bricks_->finish(b);
      work(progress.ready);
    }
  }
  const Bricks& bricks() const { return *bricks_; }

 private:
  const BrickLayout& layout() const { return bricks_->layout(); }
  void work(const std::vector<std::int64_t>& tiles) {
    if (tiles.empty()) return;
    to_.ready(tiles);
    for (const std::int64_t t : tiles)
      for (const std::int64_t b : schedule_->tile_done(t)) bricks_->release(b);
  }

  std::shared_ptr<Bricks> bricks_;
  OutputStream& to_;
  std::vector<std::uint64_t> tile_bytes_;
  std::optional<BrickSchedule> schedule_;
};

}  // namespace

bool SlidingWindowInferer::stream(const Array& input, const Forward& network, OutputStream& to) const {
  const WindowGrid grid = grid_of(input);
  if (input.size(0) != 1) return false;
  Progress progress("sliding window", grid.count());
  WindowFeeder feeder(input, grid, options_);
  std::optional<Streaming> streaming;
  std::vector<std::int64_t> order;
  std::int64_t batch = 1;
  const auto begin = [&](const Shape& output) {
    const Array importance = importance_map(grid.roi(), options_.mode, options_.sigma_scale);
    streaming.emplace(Blender(grid, Shape(output.begin() + 1, output.end()), importance, options_.mode), output[0], to);
    order = streaming->order();
    batch = to.plan({.windows = grid.count(),
                     .windows_left = feeder.distinct(order) - 1,
                     .batch = options_.sw_batch_size,
                     .held = streaming->most(order),
                     .held_first = streaming->most({0}),
                     .values = static_cast<std::uint64_t>(output[0] * numel_of(streaming->bricks().spatial_shape()))});
    streaming->begin();
  };
  std::int64_t come = 0;
  const auto take_planes = [&](std::int64_t window, const engine::OutputPlanes& planes) {
    if (!streaming) begin(planes.whole);
    streaming->add(window, planes);
    if (planes.first + planes.values.size(1) < planes.whole[1]) return;
    ++come;
    progress.advance();
  };
  const auto take = [&](std::int64_t window, const std::vector<Array>& results) {
    if (results.empty()) throw Error(ErrorKind::shape, "the network gives nothing");
    take_planes(window, {.sample = 0, .whole = results[0].shape(), .first = 0, .values = results[0]});
  };
  const auto next_batch = [&] {
    to.advance(std::exchange(come, 0));
    return batch;
  };
  // The first window goes alone: what it gives and takes decides how the others go.
  feeder.run(
      {0}, network, [] { return 1; }, take, take_planes);
  feeder.run({order.begin() + 1, order.end()}, network, next_batch, take, take_planes);
  to.advance(come);
  return true;
}

}  // namespace vesal::infer
