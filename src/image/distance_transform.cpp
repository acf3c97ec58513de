#include "image/distance_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"

namespace vesal::image {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// All lines of a C-ordered block along one axis.
struct Lines {
  std::int64_t extent = 1, step = 1, count = 1;
  Lines(const Shape& shape, std::size_t axis) : extent(shape[axis]) {
    for (std::size_t i = axis + 1; i < shape.size(); ++i) step *= shape[i];
    count = numel_of(shape) / std::max<std::int64_t>(extent, 1);
  }
  std::int64_t first(std::int64_t line) const { return line / step * step * extent + line % step; }
};

/// Calls a copy of `worker` per thread, which may keep buffers, with the offset of each line's first voxel.
template <class Worker>
void for_each_line(const Lines& lines, const Worker& worker) {
  parallel_for(lines.count, std::max<std::int64_t>(1, (1 << 14) / lines.extent), [&](std::int64_t begin, std::int64_t end) {
    Worker own = worker;
    for (std::int64_t line = begin; line < end; ++line) own(lines.first(line), lines);
  });
}

/// Squared distances of one line from those of the axes before: the lower envelope of a parabola per voxel.
struct Envelope {
  float* values;
  const std::uint8_t* wanted;  ///< lines without a wanted voxel are left out, if not null
  double spacing;
  std::vector<double> height, position, from;  ///< of the envelope's parabolas: value, place, where they begin to be the lowest

  void operator()(std::int64_t first, const Lines& lines) {
    if (wanted && !any_wanted(first, lines)) return;
    const std::int64_t n = lines.extent;
    height.clear(), position.clear(), from.clear();
    for (std::int64_t i = 0; i < n; ++i) {
      const float value = values[first + i * lines.step];
      if (value == kFar) continue;
      const double h = static_cast<double>(value), x = static_cast<double>(i) * spacing;
      double begin = -std::numeric_limits<double>::infinity();
      while (!height.empty()) {
        begin = (h + x * x - height.back() - position.back() * position.back()) / (2 * (x - position.back()));
        if (begin > from.back()) break;
        height.pop_back(), position.pop_back(), from.pop_back();
        begin = -std::numeric_limits<double>::infinity();
      }
      height.push_back(h), position.push_back(x), from.push_back(begin);
    }
    if (height.empty()) return;
    std::size_t k = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double x = static_cast<double>(i) * spacing;
      while (k + 1 < from.size() && from[k + 1] < x) ++k;
      const double d = x - position[k];
      values[first + i * lines.step] = static_cast<float>(d * d + height[k]);
    }
  }
  bool any_wanted(std::int64_t first, const Lines& lines) const {
    for (std::int64_t i = 0; i < lines.extent; ++i)
      if (wanted[first + i * lines.step]) return true;
    return false;
  }
};

/// One more step per voxel away from the line's known distances.
struct Steps {
  float* values;
  void operator()(std::int64_t first, const Lines& lines) const {
    float d = kFar;
    for (std::int64_t i = 0; i < lines.extent; ++i) advance(d, first + i * lines.step);
    d = kFar;
    for (std::int64_t i = lines.extent - 1; i >= 0; --i) advance(d, first + i * lines.step);
  }
  void advance(float& d, std::int64_t at) const { values[at] = d = std::min(d + 1, values[at]); }
};

/// The larger of the steps along this line and of the distance across it, smallest over the line.
struct LargestStep {
  float* values;
  std::vector<float> line;
  void operator()(std::int64_t first, const Lines& lines) {
    const std::int64_t n = lines.extent;
    line.resize(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) line[static_cast<std::size_t>(i)] = values[first + i * lines.step];
    for (std::int64_t i = 0; i < n; ++i) {
      float best = line[static_cast<std::size_t>(i)];
      for (std::int64_t r = 1; r < n && static_cast<float>(r) < best; ++r)
        for (const std::int64_t j : {i - r, i + r})
          if (j >= 0 && j < n) best = std::min(best, std::max(static_cast<float>(r), line[static_cast<std::size_t>(j)]));
      values[first + i * lines.step] = best;
    }
  }
};

std::vector<float> zero_where_marked(const std::uint8_t* marked, const Shape& shape) {
  std::vector<float> out(static_cast<std::size_t>(numel_of(shape)));
  parallel_for(static_cast<std::int64_t>(out.size()), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = marked[i] ? 0.0f : kFar;
  });
  return out;
}

}  // namespace

std::vector<float> euclidean_distances(const std::uint8_t* marked, const std::uint8_t* wanted, const Shape& shape,
                                       const std::vector<double>& spacing) {
  std::vector<float> values = zero_where_marked(marked, shape);
  for (std::size_t axis = shape.size(); axis-- > 0;)
    for_each_line(Lines(shape, axis), Envelope{values.data(), axis == 0 ? wanted : nullptr, spacing[axis], {}, {}, {}});
  parallel_for(static_cast<std::int64_t>(values.size()), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] = std::sqrt(values[static_cast<std::size_t>(i)]);
  });
  return values;
}

std::vector<float> taxicab_distances(const std::uint8_t* marked, const Shape& shape) {
  std::vector<float> values = zero_where_marked(marked, shape);
  for (std::size_t axis = shape.size(); axis-- > 0;) for_each_line(Lines(shape, axis), Steps{values.data()});
  return values;
}

std::vector<float> chessboard_distances(const std::uint8_t* marked, const Shape& shape) {
  std::vector<float> values = zero_where_marked(marked, shape);
  for (std::size_t axis = shape.size(); axis-- > 0;) for_each_line(Lines(shape, axis), LargestStep{values.data(), {}});
  return values;
}

}  // namespace vesal::image
