#include "judge/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace vesal::judge {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// The inverse of normal_cdf: bisection is quick enough for the few that are needed, and exact to the last digits.
double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (normal_cdf(middle) < p ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

/// Of sorted values, linear between ranks as NumPy's.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// How much the standard error of the mean changes with the mean: from the means without one value each.
double acceleration(const std::vector<double>& values, double mean) {
  const auto n = static_cast<double>(values.size());
  double squares = 0, cubes = 0;
  for (const double v : values) {
    const double influence = (v - mean) / n;
    squares += influence * influence;
    cubes += influence * influence * influence;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

/// Differences that are not 0, by size; for each twice its rank (whole even where ties share a rank).
struct Ranked {
  std::vector<std::int64_t> doubled_ranks;
  std::int64_t doubled_positive = 0;  ///< of those of positive differences the sum
  double ties = 0;                    ///< sum of t^3 - t over groups of equal sizes
};
Ranked rank(std::vector<double> differences) {
  std::erase_if(differences, [](double d) { return d == 0 || std::isnan(d); });
  std::sort(differences.begin(), differences.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  Ranked out;
  for (std::size_t begin = 0; begin < differences.size();) {
    std::size_t end = begin;
    while (end < differences.size() && std::fabs(differences[end]) == std::fabs(differences[begin])) ++end;
    const auto doubled = static_cast<std::int64_t>(begin + 1 + end);  // ranks begin+1 .. end
    const auto group = static_cast<double>(end - begin);
    out.ties += group * group * group - group;
    for (; begin < end; ++begin) {
      out.doubled_ranks.push_back(doubled);
      if (differences[begin] > 0) out.doubled_positive += doubled;
    }
  }
  return out;
}

/// Every choice of signs is equally likely: how many of the 2^n give a sum as far out as this one.
double exact_p(const Ranked& ranked) {
  std::int64_t total = 0;
  for (const std::int64_t r : ranked.doubled_ranks) total += r;
  std::vector<double> ways(static_cast<std::size_t>(total) + 1, 0.0);
  ways[0] = 1;
  std::int64_t reached = 0;
  for (const std::int64_t r : ranked.doubled_ranks) {
    reached += r;
    for (std::int64_t s = reached; s >= r; --s) ways[static_cast<std::size_t>(s)] += ways[static_cast<std::size_t>(s - r)];
  }
  double below = 0, above = 0;
  for (std::int64_t s = 0; s <= total; ++s) {
    if (s <= ranked.doubled_positive) below += ways[static_cast<std::size_t>(s)];
    if (s >= ranked.doubled_positive) above += ways[static_cast<std::size_t>(s)];
  }
  return std::min(1.0, 2 * std::min(below, above) / std::pow(2.0, static_cast<double>(ranked.doubled_ranks.size())));
}

}  // namespace

Interval bootstrap_mean(const std::vector<double>& given, double confidence, int resamples, std::uint64_t seed) {
  if (!(confidence > 0 && confidence < 1) || resamples < 1) throw Error(ErrorKind::usage, "a confidence in (0, 1) and at least one resample wanted");
  std::vector<double> values;
  std::copy_if(given.begin(), given.end(), std::back_inserter(values), [](double v) { return !std::isnan(v); });
  Interval out{kNaN, kNaN, kNaN, values.size()};
  if (values.empty()) return out;
  out.mean = mean_of(values);
  if (values.size() < 2) return out;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most) {
    out.mean = out.low = out.high = *least;
    return out;
  }

  const auto n = static_cast<std::int64_t>(values.size());
  Random random(seed);
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (double& m : means) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += values[static_cast<std::size_t>(random.integer(0, n))];
    m = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  // Resamples that hit the mean itself count half: of few different values there are many.
  const double tiny = 1e-12 * std::max(std::fabs(*least), std::fabs(*most));
  const auto less = std::lower_bound(means.begin(), means.end(), out.mean - tiny) - means.begin();
  const auto not_more = std::upper_bound(means.begin(), means.end(), out.mean + tiny) - means.begin();
  const double count = resamples;
  const double share = std::clamp(static_cast<double>(less + not_more) / 2 / count, 0.5 / count, 1 - 0.5 / count);
  const double bias = normal_quantile(share), a = acceleration(values, out.mean);
  const auto bound = [&](double p) {
    const double z = bias + normal_quantile(p);
    return quantile(means, normal_cdf(bias + z / (1 - a * z)));
  };
  out.low = bound((1 - confidence) / 2);
  out.high = bound((1 + confidence) / 2);
  return out;
}

double wilcoxon_signed_rank(const std::vector<double>& differences) {
  const Ranked ranked = rank(differences);
  const auto n = static_cast<double>(ranked.doubled_ranks.size());
  if (n == 0) return 1;
  if (n <= 50) return exact_p(ranked);
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ranked.ties / 48;
  const double z = (static_cast<double>(ranked.doubled_positive) / 2 - n * (n + 1) / 4) / std::sqrt(variance);
  return std::min(1.0, 2 * normal_cdf(-std::fabs(z)));
}

PairedComparison compare_paired(const std::vector<double>& challenger, const std::vector<double>& champion, double margin) {
  if (challenger.size() != champion.size())
    throw Error(ErrorKind::usage, "a paired comparison of " + std::to_string(challenger.size()) + " values with " + std::to_string(champion.size()));
  if (!(margin >= 0)) throw Error(ErrorKind::usage, "the margin of a comparison must not be negative");
  std::vector<double> differences;
  for (std::size_t i = 0; i < challenger.size(); ++i) {
    const double d = challenger[i] - champion[i];
    if (!std::isnan(d)) differences.push_back(d);
  }
  PairedComparison out;
  out.difference = bootstrap_mean(differences);
  out.wilcoxon_p = wilcoxon_signed_rank(differences);
  out.lower_bound = bootstrap_mean(differences, 0.90).low;
  out.not_inferior = out.lower_bound > -margin;
  return out;
}

}  // namespace vesal::judge
