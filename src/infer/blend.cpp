#include "infer/blend.h"

#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/half_sums.h"

namespace vesal::infer {
namespace {

constexpr std::int64_t kRowsPerTask = 64;

/// Weights of a window at another resolution: the nearest voxel's, by centres.
Array resized(const Array& map, const Shape& shape) {
  if (map.shape() == shape) return map;
  Array current = map;
  for (int axis = 0; axis < map.dim(); ++axis) {
    Shape next_shape = current.shape();
    next_shape[axis] = shape[axis];
    Array next = Array::empty(next_shape, DType::f32);
    for (std::int64_t i = 0; i < shape[axis]; ++i) {
      const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(map.size(axis)) / static_cast<double>(shape[axis]);
      const std::int64_t from = std::min(static_cast<std::int64_t>(at), map.size(axis) - 1);
      next.slice(axis, i, i + 1).copy_from(current.slice(axis, from, from + 1));
    }
    current = next;
  }
  return current;
}

}  // namespace

bool Region::contains(const Region& other) const {
  for (std::size_t i = 0; i < 3; ++i)
    if (other.begin[i] < begin[i] || other.end[i] > end[i]) return false;
  return true;
}

Region Region::intersection(const Region& other) const {
  Region out;
  for (std::size_t i = 0; i < 3; ++i) out.begin[i] = std::max(begin[i], other.begin[i]), out.end[i] = std::min(end[i], other.end[i]);
  return out;
}

Blender::Blender(WindowGrid windows, const Shape& window, const Array& importance, BlendMode mode)
    : grid_(std::move(windows)), mode_(mode), window_(window), importance_(resized(importance, window)) {
  const WindowGrid& grid = grid_;
  const std::size_t dims = grid.roi().size(), lead = 3 - dims;
  if (window.size() != dims)
    throw Error(ErrorKind::shape, "the network's output " + to_string(window) + " has other axes than the window " + to_string(grid.roi()));
  full_.fill(1);
  part_.fill(1);
  for (std::size_t i = 0; i < lead; ++i) starts_[i] = {0};
  for (std::size_t i = 0; i < dims; ++i) {
    const double zoom = static_cast<double>(window[i]) / static_cast<double>(grid.roi()[i]);
    const auto scaled = [zoom](std::int64_t v) { return static_cast<std::int64_t>(static_cast<double>(v) * zoom); };
    shape_.push_back(scaled(grid.padded()[i]));
    for (const std::int64_t s : grid.starts()[i]) {
      if (scaled(s + grid.roi()[i]) - scaled(s) != window[i] || scaled(s) + window[i] > shape_[i])
        throw Error(ErrorKind::shape, "windows of " + to_string(window) + " for a roi of " + to_string(grid.roi()) +
                                          " do not fall on whole voxels: choose overlap * roi_size * zoom whole");
      starts_[lead + i].push_back(scaled(s));
    }
    full_[lead + i] = shape_[i];
    part_[lead + i] = window[i];
  }
}

Region Blender::window(std::int64_t i) const {
  Region at;
  for (std::size_t axis = 3; axis-- > 0;) {
    const auto n = static_cast<std::int64_t>(starts_[axis].size());
    at.begin[axis] = starts_[axis][static_cast<std::size_t>(i % n)];
    at.end[axis] = at.begin[axis] + part_[axis];
    i /= n;
  }
  return at;
}

void Blender::add(std::int64_t i, std::int64_t first, const Array& result, const Region& region, Array& sums, bool fresh) const {
  Region at = window(i);
  const std::size_t across = first_axis();
  at.begin[across] += first;
  at.end[across] = at.begin[across] + result.size(1);
  const Region common = region.intersection(at);
  if (common.voxels() == 0) return;
  const std::int64_t channels = sums.size(0), rows = common.size(0) * common.size(1), n = common.size(2);
  const std::int64_t from_pitch = at.voxels(), to_pitch = region.voxels();
  const float* from = result.data<float>();
  const float* weight = importance_.data<float>() + first * (from_pitch / at.size(across));
  const bool half = sums.dtype() == DType::f16;
  // Row `row` of the common part: where it lies in these planes and in the region.
  const auto places = [&](std::int64_t row) {
    const std::int64_t x = common.begin[0] + row / common.size(1), y = common.begin[1] + row % common.size(1), z = common.begin[2];
    return std::pair(((x - at.begin[0]) * part_[1] + y - at.begin[1]) * part_[2] + z - at.begin[2],
                     ((x - region.begin[0]) * region.size(1) + y - region.begin[1]) * region.size(2) + z - region.begin[2]);
  };
  if (half) {
    Half* to = sums.data<Half>();
    parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> share(static_cast<std::size_t>(n));
      for (std::int64_t row = begin; row < end; ++row) {
        const auto [source, target] = places(row);
        total_weights(common.begin[0] + row / common.size(1), common.begin[1] + row % common.size(1), common.begin[2], common.end[2], share.data());
        for (std::int64_t z = 0; z < n; ++z) share[static_cast<std::size_t>(z)] = weight[source + z] / share[static_cast<std::size_t>(z)];
        for (std::int64_t c = 0; c < channels; ++c)
          kernels::add_weighted_half(from + c * from_pitch + source, share.data(), n, fresh, to + c * to_pitch + target);
      }
    });
    return;
  }
  float* to = sums.data<float>();
  parallel_for(channels * rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const auto [place, target_place] = places(task % rows);
      const float* source = from + task / rows * from_pitch + place;
      float* target = to + task / rows * to_pitch + target_place;
      const float* w = weight + place;
      if (mode_ == BlendMode::constant && fresh) std::copy(source, source + n, target);
      else if (mode_ == BlendMode::constant)
        for (std::int64_t z = 0; z < n; ++z) target[z] += source[z];
      else if (fresh)
        for (std::int64_t z = 0; z < n; ++z) target[z] = source[z] * w[z];
      else
        for (std::int64_t z = 0; z < n; ++z) target[z] += source[z] * w[z];
    }
  });
}

/// Of the voxels (x, y, from..to), in the order in which the windows come.
void Blender::total_weights(std::int64_t x, std::int64_t y, std::int64_t from, std::int64_t to, float* sum) const {
  const float* weight = importance_.data<float>();
  std::fill(sum, sum + (to - from), 0.0f);
  for (const std::int64_t a : starts_[0]) {
    if (x < a || x >= a + part_[0]) continue;
    for (const std::int64_t b : starts_[1]) {
      if (y < b || y >= b + part_[1]) continue;
      const float* w = weight + ((x - a) * part_[1] + y - b) * part_[2];
      for (const std::int64_t c : starts_[2])
        for (std::int64_t z = std::max(from, c); z < std::min(to, c + part_[2]); ++z) sum[z - from] += w[z - c];
    }
  }
}

void Blender::divide(const Region& region, Array& sums) const {
  const std::int64_t channels = sums.size(0), n = region.size(2);
  float* values = sums.data<float>();
  parallel_for(region.size(0) * region.size(1), kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> total(static_cast<std::size_t>(n));
    for (std::int64_t row = begin; row < end; ++row) {
      total_weights(region.begin[0] + row / region.size(1), region.begin[1] + row % region.size(1), region.begin[2], region.end[2], total.data());
      for (std::int64_t c = 0; c < channels; ++c) {
        float* target = values + c * region.voxels() + row * n;
        for (std::int64_t z = 0; z < n; ++z) target[z] /= total[static_cast<std::size_t>(z)];
      }
    }
  });
}

Region Blender::over_image() const {
  Region part;
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const double zoom = static_cast<double>(window_[i]) / static_cast<double>(grid_.roi()[i]);
    const auto voxel = [&](std::int64_t v) { return std::min(static_cast<std::int64_t>(std::nearbyint(static_cast<double>(v) * zoom)), shape_[i]); };
    const std::size_t axis = 3 - shape_.size() + i;
    part.begin[axis] = grid_.is_padded() ? voxel(grid_.pad_before()[i]) : 0;
    part.end[axis] = grid_.is_padded() ? voxel(grid_.pad_before()[i] + grid_.image()[i]) : shape_[i];
  }
  return part;
}

Array Blender::crop(const Array& out) const {
  if (!grid_.is_padded()) return out;
  const Region part = over_image();
  Array view = out;
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const std::size_t axis = 3 - shape_.size() + i;
    view = view.slice(out.dim() - static_cast<int>(shape_.size() - i), part.begin[axis], part.end[axis]);
  }
  return view;
}

}  // namespace vesal::infer
