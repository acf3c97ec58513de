// What a few numbers say about many: bootstrap intervals and paired comparisons.
#pragma once
#include <cstdint>
#include <vector>

namespace vesal::judge {

/// A mean and where it may lie. NaN values are left out; count is what remained.
struct Interval {
  double mean = 0, low = 0, high = 0;
  std::size_t count = 0;
};

/// Bootstrap (BCa) interval of the mean, repeatable: the resamples hang on `seed` only.
Interval bootstrap_mean(const std::vector<double>& values, double confidence = 0.95, int resamples = 10000, std::uint64_t seed = 1);

/// Two models on the same cases. Differences are challenger minus champion.
struct PairedComparison {
  Interval difference;        ///< bootstrap of the mean difference
  double wilcoxon_p = 1;      ///< two-sided signed-rank test, exact up to 25 pairs
  double lower_bound = 0;     ///< one-sided 95 % bound of the mean difference
  bool not_inferior = false;  ///< lower_bound > -margin
};
PairedComparison compare_paired(const std::vector<double>& challenger, const std::vector<double>& champion, double margin);

}  // namespace vesal::judge
