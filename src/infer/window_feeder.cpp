#include "infer/window_feeder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "base/cancel.h"
#include "base/parallel.h"

namespace vesal::infer {
namespace {

constexpr std::uint64_t kMostKept = std::uint64_t{64} << 20;

/// One voxel of a contiguous window [C, spatial...] as bytes if all are equal to it, nothing otherwise.
std::optional<std::string> constant_voxel(const Array& window) {
  const std::int64_t channels = window.size(0), n = window.numel() / std::max<std::int64_t>(1, channels);
  const std::size_t size = size_of(window.dtype());
  const char* data = static_cast<const char*>(window.raw());
  std::string voxel;
  for (std::int64_t c = 0; c < channels; ++c, data += static_cast<std::size_t>(n) * size) {
    // Every element equals its neighbour: the block is the same as itself moved by one element.
    if (n == 0 || std::memcmp(data, data + size, static_cast<std::size_t>(n - 1) * size) != 0) return std::nullopt;
    voxel.append(data, size);
  }
  return voxel;
}

Shape window_shape(const Array& source, const WindowGrid& grid) {
  Shape shape{source.size(1)};
  shape.insert(shape.end(), grid.roi().begin(), grid.roi().end());
  return shape;
}

/// What a batch of windows gives, and which of its results each window takes.
struct Pending {
  std::int64_t window;
  std::int64_t slot;  ///< in the batch; -1: `known`
  const std::vector<Array>* known;
};

}  // namespace

WindowFeeder::WindowFeeder(const Array& inputs, const WindowGrid& grid, const SlidingWindowInferer::Options& options)
    : grid_(grid), source_(inputs), fill_(grid.is_padded()), cval_(options.cval) {
  // Constant padding costs nothing: windows start out as cval. The other modes need the padded image, which is a small one.
  if (!grid.is_padded() || options.padding_mode == PadMode::constant) return;
  source_ = pad_image(inputs, grid, options.padding_mode);
  grid_ = WindowGrid(grid.padded(), options.roi_size, options.overlap);
  fill_ = false;
}

void WindowFeeder::gather(std::int64_t window, Array out) const {
  if (fill_) out.fill(cval_);
  grid_.copy_window(source_.select(0, window / grid_.count()), window % grid_.count(), std::move(out));
}

std::vector<Array> WindowFeeder::infer(const Array& batch, const Forward& network) {
  const Outputs results = network(batch);
  const std::int64_t n = batch.size(0);
  const bool first = shapes_.empty();
  if (first) {
    keys_ = results.keys;
    for (const Array& r : results.arrays) {
      if (r.dim() != batch.dim())
        throw Error(ErrorKind::shape, "the network made " + to_string(r.shape()) + " of windows " + to_string(batch.shape()));
      shapes_.emplace_back(r.shape().begin() + 1, r.shape().end());
    }
  }
  if (results.arrays.size() != shapes_.size()) throw Error(ErrorKind::shape, "the network's outputs differ in number between batches");
  std::vector<Array> arrays;
  for (std::size_t k = 0; k < shapes_.size(); ++k) {
    Shape want = shapes_[k];
    want.insert(want.begin(), n);
    if (results.arrays[k].shape() != want)
      throw Error(ErrorKind::shape,
                  "the network made " + to_string(results.arrays[k].shape()) + " of " + std::to_string(n) + " windows, want " + to_string(want));
    arrays.push_back(results.arrays[k].to(DType::f32).contiguous());
  }
  return arrays;
}

bool WindowFeeder::by_planes(const Array& batch, const std::vector<std::int64_t>& windows, const Forward& network, const TakePlanes& take) {
  return network.by_planes && network.by_planes(batch, [&](const engine::OutputPlanes& some) {
    if (shapes_.empty()) shapes_ = {some.whole};
    if (shapes_.size() != 1 || shapes_[0] != some.whole || some.whole.size() + 1 != batch.shape().size())
      throw Error(ErrorKind::shape, "the network made " + to_string(some.whole) + " of a window of " + to_string(batch.shape()));
    take(windows[static_cast<std::size_t>(some.sample)], some);
  });
}

bool WindowFeeder::can_keep() const {
  std::int64_t numbers = 0;
  for (const Shape& shape : shapes_) numbers += numel_of(shape);
  return static_cast<std::uint64_t>(numbers) * sizeof(float) <= kMostKept;
}

void WindowFeeder::run(const std::vector<std::int64_t>& windows, const Forward& network, const std::function<std::int64_t()>& batch_size,
                       const Take& take, const TakePlanes& take_planes) {
  for (std::size_t next = 0; next < windows.size();) {
    check_cancelled();
    const std::int64_t most = std::min<std::int64_t>(std::max<std::int64_t>(1, batch_size()), static_cast<std::int64_t>(windows.size() - next));
    Shape shape = window_shape(source_, grid_);
    shape.insert(shape.begin(), most);
    Array batch = Array::empty(shape, source_.dtype());
    std::vector<Pending> pending;
    std::map<std::string, std::int64_t> slots;  // of constant windows in this batch
    std::int64_t filled = 0;
    const bool alike = can_keep();
    while (filled < most && next < windows.size()) {
      const std::int64_t together = std::min<std::int64_t>(most - filled, static_cast<std::int64_t>(windows.size() - next));
      std::vector<std::optional<std::string>> voxels(static_cast<std::size_t>(together));
      parallel_for(together, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
          Array slot = batch.select(0, filled + k);
          gather(windows[next + static_cast<std::size_t>(k)], slot);
          if (alike) voxels[static_cast<std::size_t>(k)] = constant_voxel(slot);
        }
      });
      std::int64_t to = filled;
      for (std::int64_t k = 0; k < together; ++k, ++next) {
        const auto& voxel = voxels[static_cast<std::size_t>(k)];
        if (const auto known = voxel ? same_.find(*voxel) : same_.end(); known != same_.end()) {
          pending.push_back({windows[next], -1, &known->second});
        } else if (const auto slot = voxel ? slots.find(*voxel) : slots.end(); slot != slots.end()) {
          pending.push_back({windows[next], slot->second, nullptr});
        } else {
          if (to != filled + k) batch.select(0, to).copy_from(batch.select(0, filled + k));
          if (voxel) slots[*voxel] = to;
          pending.push_back({windows[next], to++, nullptr});
        }
      }
      filled = to;
    }

    // By planes each window is on its own and nothing is kept; of the first one it cannot be known yet whether it could be.
    if (take_planes && filled == static_cast<std::int64_t>(pending.size()) && (slots.empty() || shapes_.empty())) {
      std::vector<std::int64_t> own;
      for (const Pending& p : pending) own.push_back(p.window);
      if (by_planes(batch.slice(0, 0, filled), own, network, take_planes)) continue;
    }
    std::vector<Array> results;
    if (filled > 0) results = infer(batch.slice(0, 0, filled), network);
    batch = {};
    for (const Pending& p : pending) {
      if (p.known) {
        take(p.window, *p.known);
        continue;
      }
      std::vector<Array> one;
      for (const Array& r : results) one.push_back(r.select(0, p.slot));
      take(p.window, one);
    }
    for (const auto& [voxel, slot] : slots) {
      std::uint64_t bytes = 0;
      for (const Array& r : results) bytes += r.nbytes() / static_cast<std::uint64_t>(filled);
      if (same_bytes_ + bytes > kMostKept) break;
      same_bytes_ += bytes;
      for (const Array& r : results) same_[voxel].push_back(r.select(0, slot).clone());
    }
  }
}

std::int64_t WindowFeeder::distinct(const std::vector<std::int64_t>& windows) const {
  constexpr std::size_t kMostLookedAt = 4096;
  if (!can_keep() || windows.size() > kMostLookedAt) return static_cast<std::int64_t>(windows.size());
  std::vector<std::optional<std::string>> voxels(windows.size());
  parallel_for(static_cast<std::int64_t>(windows.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    Array window = Array::empty(window_shape(source_, grid_), source_.dtype());
    for (std::int64_t k = begin; k < end; ++k) {
      check_cancelled();
      gather(windows[static_cast<std::size_t>(k)], window);
      voxels[static_cast<std::size_t>(k)] = constant_voxel(window);
    }
  });
  std::set<std::string> values;
  std::int64_t n = 0;
  for (const auto& voxel : voxels)
    if (!voxel || values.insert(*voxel).second) ++n;
  return n;
}

}  // namespace vesal::infer
