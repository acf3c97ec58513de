// Mapping one range of intensities onto another.
#pragma once
#include <optional>

#include "base/array.h"

namespace vesal::transforms {

/// What ScaleIntensityRange is told. Without b_min and b_max the values land in [0, 1].
struct IntensityRange {
  double a_min = 0, a_max = 1;
  std::optional<double> b_min, b_max;
  bool clip = false;
  std::optional<DType> type = DType::f32;  ///< of the result; none: the input's
};

/// ScaleIntensityRange of an array; a fresh one. Integers are computed in float32. Throws Error(config) for clip without any bound.
Array scale_range(const Array& in, const IntensityRange& range);

}  // namespace vesal::transforms
