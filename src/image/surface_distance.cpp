#include "image/surface_distance.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <numeric>

#include "base/parallel.h"
#include "image/distance_transform.h"

namespace vesal::image {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// torch.quantile of a copy: interpolated linearly at a rank that is computed in float32.
float quantile(std::vector<float> values, float share) {
  const float rank = share * static_cast<float>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(std::min(static_cast<std::size_t>(rank), values.size() - 1));
  std::nth_element(values.begin(), below, values.end());
  const float weight = rank - std::floor(rank), low = *below;
  const float high = weight > 0 && below + 1 != values.end() ? *std::min_element(below + 1, values.end()) : low;
  return weight < 0.5f ? low + weight * (high - low) : high - (high - low) * (1 - weight);
}

float percentile_of(const std::vector<float>& distances, std::optional<double> percentile) {
  const double percent = percentile.value_or(0);
  if (!(percent >= 0 && percent <= 100)) throw Error(ErrorKind::config, "a percentile must lie in [0, 100], got " + std::to_string(percent));
  if (distances.empty()) return kNan;
  if (percent == 0) return *std::max_element(distances.begin(), distances.end());
  return quantile(distances, static_cast<float>(percent / 100));
}

float mean(double sum, std::size_t count) { return count == 0 ? kNan : static_cast<float>(sum / static_cast<double>(count)); }
double sum_of(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// A C-ordered block of zeros and ones.
struct Mask {
  Shape shape;
  std::vector<std::uint8_t> voxels;
};

struct Box {
  Shape low, high;  ///< high is past the end
  bool empty() const { return low.empty() || low[0] >= high[0]; }
  Shape extents() const {
    Shape out(low.size());
    for (std::size_t i = 0; i < low.size(); ++i) out[i] = high[i] - low[i];
    return out;
  }
};

/// The first element's offset of the row (along the last axis) with that number.
std::int64_t row_offset(const Array& a, std::int64_t row, Shape& index) {
  std::int64_t offset = 0;
  for (int axis = a.dim() - 2; axis >= 0; --axis) {
    const std::size_t i = static_cast<std::size_t>(axis);
    index[i] = row % a.shape()[i];
    row /= a.shape()[i];
    offset += index[i] * a.strides()[i];
  }
  return offset;
}

template <class T>
bool in_mask(T value, double label) {
  if constexpr (std::is_same_v<T, bool>) return value;
  else return convert<double>(value) == label;
}

/// Grows `box` to hold every voxel of the label.
void include(const Array& a, double label, Box& box) {
  const std::int64_t n = a.shape().back(), step = a.strides().back();
  const std::size_t last = a.shape().size() - 1;
  std::mutex mutex;
  visit_dtype(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = a.data<T>();
    parallel_for(a.numel() / n, std::max<std::int64_t>(1, (1 << 16) / n), [&](std::int64_t begin, std::int64_t end) {
      Box own{a.shape(), Shape(a.shape().size(), 0)};
      Shape index(a.shape().size(), 0);
      for (std::int64_t row = begin; row < end; ++row) {
        const T* line = data + row_offset(a, row, index);
        std::int64_t first = 0, past = n;
        while (first < n && !in_mask(line[first * step], label)) ++first;
        if (first == n) continue;
        while (!in_mask(line[(past - 1) * step], label)) --past;
        for (std::size_t i = 0; i < last; ++i) own.low[i] = std::min(own.low[i], index[i]), own.high[i] = std::max(own.high[i], index[i] + 1);
        own.low[last] = std::min(own.low[last], first), own.high[last] = std::max(own.high[last], past);
      }
      if (own.empty()) return;
      const std::lock_guard lock(mutex);
      for (std::size_t i = 0; i <= last; ++i) box.low[i] = std::min(box.low[i], own.low[i]), box.high[i] = std::max(box.high[i], own.high[i]);
    });
  });
}

Mask cut(Array a, double label, const Box& box) {
  for (std::size_t i = 0; i < box.low.size(); ++i) a = a.slice(static_cast<int>(i), box.low[i], box.high[i]);
  Mask mask{a.shape(), std::vector<std::uint8_t>(static_cast<std::size_t>(a.numel()))};
  const std::int64_t n = a.shape().back(), step = a.strides().back();
  visit_dtype(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = a.data<T>();
    parallel_for(a.numel() / n, std::max<std::int64_t>(1, (1 << 16) / n), [&](std::int64_t begin, std::int64_t end) {
      Shape index(a.shape().size(), 0);
      for (std::int64_t row = begin; row < end; ++row) {
        const T* line = data + row_offset(a, row, index);
        for (std::int64_t i = 0; i < n; ++i) mask.voxels[static_cast<std::size_t>(row * n + i)] = in_mask(line[i * step], label) ? 1 : 0;
      }
    });
  });
  return mask;
}

/// The voxels that have a neighbour outside.
Mask surface_of(const Mask& mask) {
  Mask out{mask.shape, std::vector<std::uint8_t>(mask.voxels.size())};
  const std::size_t dims = mask.shape.size();
  Shape steps(dims, 1);
  for (std::size_t i = dims - 1; i-- > 0;) steps[i] = steps[i + 1] * mask.shape[i + 1];
  const std::uint8_t* in = mask.voxels.data();
  parallel_for(static_cast<std::int64_t>(mask.voxels.size()), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t v = begin; v < end; ++v) {
      if (!in[v]) continue;
      bool inside = true;
      for (std::size_t i = 0; i < dims && inside; ++i) {
        const std::int64_t at = v / steps[i] % mask.shape[i];
        inside = at > 0 && at + 1 < mask.shape[i] && in[v - steps[i]] && in[v + steps[i]];
      }
      out.voxels[static_cast<std::size_t>(v)] = inside ? 0 : 1;
    }
  });
  return out;
}

std::vector<float> between(const Mask& from, const Mask& to, const std::vector<double>& spacing, DistanceRule rule) {
  const auto present = [](const Mask& m) { return std::find(m.voxels.begin(), m.voxels.end(), 1) != m.voxels.end(); };
  const auto count = [](const Mask& m) { return static_cast<std::size_t>(std::count(m.voxels.begin(), m.voxels.end(), 1)); };
  if (!present(from) || !present(to)) return std::vector<float>(count(from) + count(to), std::numeric_limits<float>::infinity());
  const std::vector<float> distances = rule == DistanceRule::euclidean ? euclidean_distances(to.voxels.data(), from.voxels.data(), to.shape, spacing)
                                       : rule == DistanceRule::taxicab ? taxicab_distances(to.voxels.data(), to.shape)
                                                                       : chessboard_distances(to.voxels.data(), to.shape);
  std::vector<float> out;
  for (std::size_t v = 0; v < distances.size(); ++v)
    if (from.voxels[v]) out.push_back(distances[v]);
  return out;
}

void check(const Array& a, const Array& b, const std::vector<double>& spacing) {
  if (a.dim() < 1 || a.shape() != b.shape())
    throw Error(ErrorKind::shape, "surface distances want two masks of one shape, got " + to_string(a.shape()) + " and " + to_string(b.shape()));
  if (!spacing.empty() && spacing.size() != a.shape().size())
    throw Error(ErrorKind::config, "a spacing of " + std::to_string(spacing.size()) + " numbers for masks of " + to_string(a.shape()));
  for (const double s : spacing)
    if (!(s > 0 && std::isfinite(s))) throw Error(ErrorKind::config, "spacing must be positive, got " + std::to_string(s));
}

}  // namespace

DistanceRule parse_distance_rule(const std::string& name) {
  if (name == "euclidean") return DistanceRule::euclidean;
  if (name == "chessboard") return DistanceRule::chessboard;
  if (name == "taxicab") return DistanceRule::taxicab;
  throw Error(ErrorKind::config, "distance_metric '" + name + "', want euclidean, chessboard or taxicab");
}

float SurfaceDistances::hausdorff_a_to_b(std::optional<double> percentile) const { return percentile_of(a_to_b, percentile); }

float SurfaceDistances::hausdorff(std::optional<double> percentile) const {
  const float there = percentile_of(a_to_b, percentile), back = percentile_of(b_to_a, percentile);
  return std::isnan(there) || std::isnan(back) ? kNan : std::max(there, back);
}

float SurfaceDistances::average_a_to_b() const { return mean(sum_of(a_to_b), a_to_b.size()); }
float SurfaceDistances::average_symmetric() const { return mean(sum_of(a_to_b) + sum_of(b_to_a), a_to_b.size() + b_to_a.size()); }

float SurfaceDistances::dice(double tolerance) const {
  double near = 0;
  for (const std::vector<float>* way : {&a_to_b, &b_to_a})
    for (const float d : *way) near += static_cast<double>(d) <= tolerance ? 1 : 0;
  return mean(near, a_to_b.size() + b_to_a.size());
}

SurfaceDistances surface_distances(const Array& given_a, const Array& given_b, const std::vector<double>& given_spacing, double label,
                                   DistanceRule rule, bool one_way) {
  check(given_a, given_b, given_spacing);
  if (given_a.numel() == 0) return {};
  const std::size_t dims = given_a.shape().size();
  std::vector<int> order(dims);  // the axes as they lie in memory: a NIfTI's x is the innermost
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) {
    return std::abs(given_a.strides()[static_cast<std::size_t>(i)]) > std::abs(given_a.strides()[static_cast<std::size_t>(j)]);
  });
  const Array a = given_a.permute(order), b = given_b.permute(order);
  std::vector<double> spacing(dims, 1.0);
  for (std::size_t i = 0; i < dims && !given_spacing.empty(); ++i) spacing[i] = given_spacing[static_cast<std::size_t>(order[i])];

  Box box{a.shape(), Shape(dims, 0)};
  include(a, label, box);
  include(b, label, box);
  if (box.empty()) return {};
  const Mask surface_a = surface_of(cut(a, label, box)), surface_b = surface_of(cut(b, label, box));
  return {between(surface_a, surface_b, spacing, rule), one_way ? std::vector<float>() : between(surface_b, surface_a, spacing, rule)};
}

}  // namespace vesal::image
