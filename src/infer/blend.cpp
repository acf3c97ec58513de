// Weighted sums of overlapping windows.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "infer/windows.h"

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

Blender::Blender(const WindowGrid& grid, const Shape& window, const Array& importance, BlendMode mode)
    : grid_(grid), mode_(mode), window_(window), importance_(resized(importance, window)) {
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

void Blender::add(std::int64_t i, const Array& result, Array& out) const {
  const std::int64_t channels = out.size(0);
  std::array<std::int64_t, 3> at{};
  for (std::size_t axis = 3; axis-- > 0;) {
    const auto n = static_cast<std::int64_t>(starts_[axis].size());
    at[axis] = starts_[axis][static_cast<std::size_t>(i % n)];
    i /= n;
  }
  const float* from = result.data<float>();
  const float* weight = importance_.data<float>();
  float* to = out.data<float>();
  parallel_for(channels * part_[0] * part_[1], kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t y = row % part_[1], x = row / part_[1] % part_[0], c = row / part_[1] / part_[0];
      const float* source = from + row * part_[2];
      float* target = to + ((c * full_[0] + at[0] + x) * full_[1] + at[1] + y) * full_[2] + at[2];
      if (mode_ == BlendMode::constant) {
        for (std::int64_t z = 0; z < part_[2]; ++z) target[z] += source[z];
      } else {
        const float* w = weight + (x * part_[1] + y) * part_[2];
        for (std::int64_t z = 0; z < part_[2]; ++z) target[z] += source[z] * w[z];
      }
    }
  });
}

void Blender::divide(Array& out) const {
  const std::int64_t channels = out.size(0);
  float* values = out.data<float>();
  const float* weight = importance_.data<float>();
  parallel_for(full_[0] * full_[1], kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sum(static_cast<std::size_t>(full_[2]));
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t x = row / full_[1], y = row % full_[1];
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (const std::int64_t a : starts_[0]) {
        if (x < a || x >= a + part_[0]) continue;
        for (const std::int64_t b : starts_[1]) {
          if (y < b || y >= b + part_[1]) continue;
          const float* w = weight + ((x - a) * part_[1] + y - b) * part_[2];
          for (const std::int64_t c : starts_[2])
            for (std::int64_t z = 0; z < part_[2]; ++z) sum[static_cast<std::size_t>(c + z)] += w[z];
        }
      }
      for (std::int64_t c = 0; c < channels; ++c) {
        float* target = values + ((c * full_[0] + x) * full_[1] + y) * full_[2];
        for (std::int64_t z = 0; z < full_[2]; ++z) target[z] /= sum[static_cast<std::size_t>(z)];
      }
    }
  });
}

Array Blender::crop(const Array& out) const {
  if (!grid_.is_padded()) return out;
  Array view = out;
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const double zoom = static_cast<double>(shape_[i]) / static_cast<double>(grid_.roi()[i]);
    const auto voxel = [&](std::int64_t v) { return std::min(static_cast<std::int64_t>(std::nearbyint(static_cast<double>(v) * zoom)), shape_[i]); };
    view = view.slice(out.dim() - static_cast<int>(shape_.size() - i), voxel(grid_.pad_before()[i]), voxel(grid_.pad_before()[i] + grid_.image()[i]));
  }
  return view;
}

}  // namespace vesal::infer
