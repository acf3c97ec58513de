#include "infer/brick_schedule.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vesal::infer {

BrickSchedule::BrickSchedule(std::int64_t bricks, std::int64_t windows, std::function<Layers(std::int64_t)> touched, std::vector<Numbers> tiles)
    : touched_(std::move(touched)), tiles_(std::move(tiles)) {
  const auto n = static_cast<std::size_t>(bricks);
  readers_.resize(n);
  windows_left_.resize(n);
  tiles_left_.resize(n);
  for (std::int64_t w = 0; w < windows; ++w)
    for (const Numbers& layer : touched_(w))
      for (const std::int64_t b : layer) ++windows_left_[static_cast<std::size_t>(b)];
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    bricks_left_.push_back(static_cast<std::int64_t>(tiles_[t].size()));
    for (const std::int64_t b : tiles_[t]) {
      readers_[static_cast<std::size_t>(b)].push_back(static_cast<std::int64_t>(t));
      ++tiles_left_[static_cast<std::size_t>(b)];
    }
  }
}

BrickSchedule::Layers BrickSchedule::wanted(std::int64_t window) const {
  Layers layers = touched_(window);
  for (Numbers& layer : layers) std::erase_if(layer, [&](std::int64_t b) { return readers_[static_cast<std::size_t>(b)].empty(); });
  std::erase_if(layers, [](const Numbers& layer) { return layer.empty(); });
  return layers;
}

BrickSchedule::Progress BrickSchedule::added(const Numbers& bricks) {
  Progress out;
  for (const std::int64_t b : bricks) {
    if (--windows_left_[static_cast<std::size_t>(b)] > 0) continue;
    out.finished.push_back(b);
    for (const std::int64_t t : readers_[static_cast<std::size_t>(b)])
      if (--bricks_left_[static_cast<std::size_t>(t)] == 0) out.ready.push_back(t);
  }
  return out;
}

BrickSchedule::Numbers BrickSchedule::ready_at_once() const {
  Numbers ready;
  for (std::size_t t = 0; t < tiles_.size(); ++t)
    if (tiles_[t].empty()) ready.push_back(static_cast<std::int64_t>(t));
  return ready;
}

BrickSchedule::Numbers BrickSchedule::tile_done(std::int64_t tile) {
  Numbers over;
  for (const std::int64_t b : tiles_[static_cast<std::size_t>(tile)])
    if (--tiles_left_[static_cast<std::size_t>(b)] == 0) over.push_back(b);
  return over;
}

std::uint64_t BrickSchedule::most(const Numbers& order, const Bytes& of_brick, const Bytes& of_tile) const {
  BrickSchedule run = *this;
  std::vector<bool> begun(readers_.size());
  std::uint64_t now = 0, most = 0;
  const auto work = [&](const Numbers& tiles) {
    for (const std::int64_t t : tiles) now += of_tile(t);
    most = std::max(most, now);
    for (const std::int64_t t : tiles)
      for (const std::int64_t b : run.tile_done(t)) now -= of_brick(b);
  };
  work(run.ready_at_once());
  for (const std::int64_t w : order)
    for (const Numbers& layer : run.wanted(w)) {
      for (const std::int64_t b : layer) {
        if (!begun[static_cast<std::size_t>(b)]) now += of_brick(b);
        begun[static_cast<std::size_t>(b)] = true;
      }
      most = std::max(most, now);
      work(run.added(layer).ready);
    }
  return most;
}

BrickSchedule::Numbers BrickSchedule::cheapest(const Numbers& windows, const Bytes& of_brick) const {
  struct Candidate {
    std::int64_t window;
    Layers layers;
    std::vector<std::size_t> turns;  ///< per brick, in the order of the layers: how many windows come to it before
  };
  std::vector<std::size_t> come(readers_.size()), all(readers_.size());
  std::vector<Candidate> left;
  for (const std::int64_t w : windows) {
    left.push_back({w, wanted(w), {}});
    for (const Numbers& layer : left.back().layers)
      for (const std::int64_t b : layer) left.back().turns.push_back(all[static_cast<std::size_t>(b)]++);
  }
  const auto its_turn = [&](const Candidate& c) {
    auto turn = c.turns.begin();
    return std::all_of(c.layers.begin(), c.layers.end(), [&](const Numbers& layer) {
      return std::all_of(layer.begin(), layer.end(), [&](std::int64_t b) { return come[static_cast<std::size_t>(b)] == *turn++; });
    });
  };
  std::uint64_t most = 0, now = 0;
  /// What there is at the most and at the end if it comes next.
  const auto growth = [&](const Candidate& c) {
    std::pair<std::uint64_t, std::uint64_t> bytes{most, now};
    for (const Numbers& layer : c.layers) {
      for (const std::int64_t b : layer)
        if (come[static_cast<std::size_t>(b)] == 0) bytes.second += of_brick(b);
      bytes.first = std::max(bytes.first, bytes.second);
      for (const std::int64_t b : layer)
        if (come[static_cast<std::size_t>(b)] + 1 == all[static_cast<std::size_t>(b)]) bytes.second -= of_brick(b);
    }
    return bytes;
  };
  Numbers order;
  while (!left.empty()) {
    auto best = left.end();
    std::pair<std::uint64_t, std::uint64_t> least;
    for (auto c = left.begin(); c != left.end(); ++c) {
      if (!its_turn(*c)) continue;
      const auto bytes = growth(*c);
      if (best == left.end() || bytes < least) best = c, least = bytes;
    }
    std::tie(most, now) = least;
    for (const Numbers& layer : best->layers)
      for (const std::int64_t b : layer) ++come[static_cast<std::size_t>(b)];
    order.push_back(best->window);
    left.erase(best);
  }
  return order;
}

}  // namespace vesal::infer
