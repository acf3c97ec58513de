// What a few numbers say about many: bootstrap intervals and paired comparisons.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vesal::judge {

/// A mean and where it may lie. NaN values are left out; count is what remained. Without values all is NaN, of one value low and high are.
struct Interval {
  double mean = 0, low = 0, high = 0;
  std::size_t count = 0;
};

/// Bootstrap interval of the mean, bias-corrected and accelerated (BCa: Efron 1987; scipy.stats.bootstrap). Repeatable: the resamples hang on
/// `seed` only. With few values it is too narrow: below ten or so read it as the least that is not known.
Interval bootstrap_mean(const std::vector<double>& values, double confidence = 0.95, int resamples = 10000, std::uint64_t seed = 1);

/// Wilcoxon's signed-rank test of differences, two-sided (scipy.stats.wilcoxon): zeros and NaN are left out, ties share their mean rank.
/// Exact up to 50 differences, whatever the ties; above by the normal approximation. 1 without differences.
double wilcoxon_signed_rank(const std::vector<double>& differences);

/// Two models on the same cases. Differences are challenger minus champion; cases where either is NaN are left out.
struct PairedComparison {
  Interval difference;        ///< bootstrap of the mean difference
  double wilcoxon_p = 1;      ///< two-sided signed-rank test
  double lower_bound = 0;     ///< one-sided 95 % bound of the mean difference; NaN below two cases
  bool not_inferior = false;  ///< lower_bound > -margin; never below two cases
};
/// Throws Error(usage) if the lists differ in length or the margin is negative.
PairedComparison compare_paired(const std::vector<double>& challenger, const std::vector<double>& champion, double margin);

}  // namespace vesal::judge
