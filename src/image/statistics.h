// What the intensities of a scan are like.
#pragma once
#include <vector>

#include "base/array.h"

namespace vesal::image {

struct Statistics {
  double min = 0, max = 0, mean = 0, standard_deviation = 0;  ///< of the finite values
  std::int64_t not_finite = 0;                                ///< NaN and infinite values
  std::vector<double> percentiles;                            ///< as asked for, linear between values as NumPy's
};

/// `percents` are 0..100. All zero if there are no finite values.
Statistics statistics_of(const Array& values, const std::vector<double>& percents);

}  // namespace vesal::image
