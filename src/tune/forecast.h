// How long a training will take on this machine and what its data will take in memory, before it begins.
#pragma once
#include <cstdint>

#include "tune/case_grids.h"
#include "tune/plan.h"

namespace vesal::tune {

struct Forecast {
  double iteration_seconds = 0;   ///< from a forward pass on this machine, were it idle
  double validation_seconds = 0;  ///< of one validation
  double seconds = 0;             ///< of all epochs and validations; loading the data not counted
  std::int64_t cache_bytes = 0;   ///< of the preprocessed cases
};

/// Runs the network once or twice on zeros. All zero where the cases' extents are not known.
Forecast forecast(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan, const TuningOptions& options);

}  // namespace vesal::tune
