#include "image/statistics.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/parallel.h"
#include "image/order_statistics.h"
#include "image/voxels.h"

namespace vesal::image {

Statistics statistics_of(const Array& values, const std::vector<double>& percents) {
  const Array source = in_memory_order(values);
  std::vector<float> kept(static_cast<std::size_t>(source.numel()));
  convert_values(source.raw(), source.dtype(), kept.data(), DType::f32, source.numel());
  kept.erase(std::remove_if(kept.begin(), kept.end(), [](float v) { return !std::isfinite(v); }), kept.end());
  Statistics s;
  s.not_finite = values.numel() - static_cast<std::int64_t>(kept.size());
  s.percentiles.assign(percents.size(), 0);
  if (kept.empty()) return s;

  double sum = 0, squares = 0;
  std::mutex mutex;
  const double origin = static_cast<double>(kept.front());  // keeps the squares small
  parallel_for(static_cast<std::int64_t>(kept.size()), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    double part = 0, part_squares = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const double d = static_cast<double>(kept[static_cast<std::size_t>(i)]) - origin;
      part += d, part_squares += d * d;
    }
    const std::lock_guard lock(mutex);
    sum += part, squares += part_squares;
  });
  const double n = static_cast<double>(kept.size());
  s.mean = origin + sum / n;
  s.standard_deviation = std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n)));
  const auto [low, high] = std::minmax_element(kept.begin(), kept.end());
  s.min = static_cast<double>(*low), s.max = static_cast<double>(*high);
  for (std::size_t i = 0; i < percents.size(); ++i) {
    const double position = std::clamp(percents[i], 0.0, 100.0) / 100 * (n - 1);
    const auto below = kept.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(kept.begin(), below, kept.end());
    const double value = static_cast<double>(*below), part = position - std::floor(position);
    s.percentiles[i] = part == 0 ? value : value + part * (static_cast<double>(*std::min_element(below + 1, kept.end())) - value);
  }
  return s;
}

}  // namespace vesal::image
