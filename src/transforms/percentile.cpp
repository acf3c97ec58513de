#include "transforms/percentile.h"

#include <cmath>
#include <limits>

#include "image/order_statistics.h"

namespace vesal::transforms {

std::vector<float> percentiles(const Array& values, const std::vector<double>& percents) {
  const std::int64_t n = values.numel();
  if (n == 0) throw Error(ErrorKind::shape, "percentiles of no values");
  const bool in_float = n <= 1'000'000;
  std::vector<std::int64_t> ranks;
  std::vector<double> parts;
  for (const double percent : percents) {
    const double place =
        in_float ? static_cast<double>(static_cast<float>(percent / 100) * static_cast<float>(n - 1)) : percent / 100 * static_cast<double>(n - 1);
    const auto below = static_cast<std::int64_t>(place);
    ranks.push_back(below);
    ranks.push_back(std::min(below + 1, n - 1));
    parts.push_back(place - static_cast<double>(below));
  }
  ranks.push_back(n - 1);
  const std::vector<float> at = image::values_at_ranks(values, ranks);
  std::vector<float> out;
  for (std::size_t i = 0; i < percents.size(); ++i) {
    const double low = at[2 * i], high = at[2 * i + 1];
    const float value = static_cast<float>(low + (high - low) * parts[i]);
    out.push_back(std::isnan(at.back()) ? std::numeric_limits<float>::quiet_NaN() : is_floating(values.dtype()) ? value : std::trunc(value));
  }
  return out;
}

}  // namespace vesal::transforms
