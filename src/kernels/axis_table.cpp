#include "kernels/axis_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

namespace vesal::kernels {
namespace {

AxisTable empty_table(std::int64_t in, std::int64_t out, int taps) {
  if (in < 1 || in > std::numeric_limits<std::int32_t>::max())
    throw Error(ErrorKind::shape, "cannot resample an axis of " + std::to_string(in) + " voxels");
  AxisTable t{in, out, taps, {}, {}};
  t.index.assign(static_cast<std::size_t>(taps * out), 0);
  t.weight.assign(static_cast<std::size_t>(taps * out), 0.f);
  return t;
}

/// Mirrors x at low and high, given doubled so that halves stay integers.
double reflect(double x, std::int64_t twice_low, std::int64_t twice_high) {
  if (twice_low == twice_high) return 0;
  const double low = static_cast<double>(twice_low) / 2, span = static_cast<double>(twice_high - twice_low) / 2;
  x = std::fabs(x - low);
  if (x <= span) return x + low;
  const double extra = std::fmod(x, span);
  const bool even = std::fmod(std::floor(x / span), 2.0) == 0;
  return even ? extra + low : span - extra + low;
}

}  // namespace

bool AxisTable::is_identity() const {
  if (taps != 1 || in != out) return false;
  for (std::int64_t i = 0; i < out; ++i)
    if (index[i] != i || weight[i] != 1.f) return false;
  return true;
}

std::pair<std::int64_t, std::int64_t> AxisTable::range() const {
  if (index.empty()) return {0, std::min<std::int64_t>(in, 1)};
  const auto [low, high] = std::minmax_element(index.begin(), index.end());
  return {*low, *high + 1};
}

AxisTable AxisTable::part(std::int64_t begin, std::int64_t end, std::int64_t origin, std::int64_t size) const {
  AxisTable t{size, end - begin, taps, {}, {}};
  t.index.reserve(static_cast<std::size_t>(taps * t.out));
  t.weight.reserve(static_cast<std::size_t>(taps * t.out));
  for (int k = 0; k < taps; ++k)
    for (std::int64_t i = begin; i < end; ++i) {
      t.index.push_back(static_cast<std::int32_t>(index[k * out + i] - origin));
      t.weight.push_back(weight[k * out + i]);
    }
  return t;
}

AxisTable AxisTable::reversed() const {
  AxisTable t = *this;
  for (auto& i : t.index) i = static_cast<std::int32_t>(in - 1 - i);
  return t;
}

AxisTable identity_table(std::int64_t size) {
  AxisTable t = empty_table(size, size, 1);
  for (std::int64_t i = 0; i < size; ++i) t.index[i] = static_cast<std::int32_t>(i), t.weight[i] = 1;
  return t;
}

AxisTable pick_table(std::int64_t in, const std::vector<std::int64_t>& source) {
  AxisTable t = empty_table(in, static_cast<std::int64_t>(source.size()), 1);
  for (std::int64_t i = 0; i < t.out; ++i) t.index[i] = static_cast<std::int32_t>(source[i]), t.weight[i] = 1;
  return t;
}

std::vector<double> grid_coordinates(std::int64_t count, bool align_corners) {
  std::vector<double> c(static_cast<std::size_t>(count), 0.0);
  if (count <= 1) return c;
  // linspace works on vectors of 4, two at a time, each from its first element on; the remainder element by element.
  const double step = 2.0 / static_cast<double>(count - 1);
  const std::int64_t in_vectors = count / 8 * 8;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = i < in_vectors ? i / 4 * 4 : i;
    const double base =
        first < count / 2 ? std::fma(step, static_cast<double>(first), -1.0) : std::fma(-step, static_cast<double>(count - first - 1), 1.0);
    c[i] = base + step * static_cast<double>(i - first);
    if (!align_corners) c[i] = c[i] * static_cast<double>(count - 1) / static_cast<double>(count);
  }
  return c;
}

double voxel_position(double coordinate, std::int64_t size, Padding padding, bool align_corners) {
  const double n = static_cast<double>(size);
  double x = align_corners ? (coordinate + 1) / 2 * (n - 1) : ((coordinate + 1) * n - 1) / 2;
  if (padding == Padding::zeros) return x;
  if (padding == Padding::reflection) x = align_corners ? reflect(x, 0, 2 * (size - 1)) : reflect(x, -1, 2 * size - 1);
  return std::min(n - 1, std::max(x, 0.0));
}

double nearest_voxel(double position, Interpolation interpolation) {
  return interpolation == Interpolation::nearest_even ? std::nearbyint(position) : std::round(position);
}

AxisTable grid_sample_table(std::int64_t in, std::int64_t out, double scale, double shift, Interpolation interpolation, Padding padding,
                            bool align_corners) {
  const int taps = interpolation == Interpolation::linear ? 2 : 1;
  AxisTable t = empty_table(in, out, taps);
  const std::vector<double> grid = grid_coordinates(out, align_corners);
  const double last = static_cast<double>(in - 1);
  for (std::int64_t i = 0; i < out; ++i) {
    const double x = voxel_position(grid[i] * scale + shift, in, padding, align_corners);
    if (!std::isfinite(x)) throw Error(ErrorKind::geometry, "resampling at a position that is not finite");
    const double low = interpolation == Interpolation::linear ? std::floor(x) : nearest_voxel(x, interpolation);
    const double fraction = x - low;
    for (int k = 0; k < taps; ++k) {
      const double at = low + k;
      const bool inside = at >= 0 && at <= last;
      t.index[k * out + i] = static_cast<std::int32_t>(std::clamp(at, 0.0, last));
      t.weight[k * out + i] = !inside ? 0.f : taps == 1 ? 1.f : static_cast<float>(k == 0 ? 1 - fraction : fraction);
    }
  }
  return t;
}

}  // namespace vesal::kernels
