#include "infer/brick_schedule.h"

#include <algorithm>

namespace vesal::infer {

BrickSchedule::BrickSchedule(std::int64_t bricks, std::int64_t windows, std::function<Numbers(std::int64_t)> touched, std::vector<Numbers> tiles)
    : touched_(std::move(touched)), tiles_(std::move(tiles)) {
  const auto n = static_cast<std::size_t>(bricks);
  readers_.resize(n);
  windows_left_.resize(n);
  tiles_left_.resize(n);
  for (std::int64_t w = 0; w < windows; ++w)
    for (const std::int64_t b : touched_(w)) ++windows_left_[static_cast<std::size_t>(b)];
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    bricks_left_.push_back(static_cast<std::int64_t>(tiles_[t].size()));
    for (const std::int64_t b : tiles_[t]) {
      readers_[static_cast<std::size_t>(b)].push_back(static_cast<std::int64_t>(t));
      ++tiles_left_[static_cast<std::size_t>(b)];
    }
  }
}

BrickSchedule::Numbers BrickSchedule::wanted(std::int64_t window) const {
  Numbers bricks = touched_(window);
  std::erase_if(bricks, [&](std::int64_t b) { return readers_[static_cast<std::size_t>(b)].empty(); });
  return bricks;
}

BrickSchedule::Progress BrickSchedule::window_done(std::int64_t window) {
  Progress out;
  for (const std::int64_t b : wanted(window)) {
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
  for (const std::int64_t w : order) {
    for (const std::int64_t b : run.wanted(w)) {
      if (!begun[static_cast<std::size_t>(b)]) now += of_brick(b);
      begun[static_cast<std::size_t>(b)] = true;
    }
    most = std::max(most, now);
    work(run.window_done(w).ready);
  }
  return most;
}

}  // namespace vesal::infer
