// Percentiles of intensities, as MONAI computes them.
#pragma once
#include <vector>

#include "base/array.h"

namespace vesal::transforms {

/// Linear between neighbours, in float32: torch.quantile up to a million values, numpy.percentile above, whose last bits differ.
/// NaN if a value is NaN; cut to whole numbers for integer arrays. Throws Error(shape) for no values.
std::vector<float> percentiles(const Array& values, const std::vector<double>& percents);

}  // namespace vesal::transforms
