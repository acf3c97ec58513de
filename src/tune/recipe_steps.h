// The transforms of a recipe.
#pragma once
#include <optional>
#include <vector>

#include "tune/recipe.h"

namespace vesal::tune {

/// Where the voxel values of a preprocessed scan lie, as far as its transforms say.
struct ValueRange {
  double low = 0, high = 1;
  bool floor = false;  ///< air and everything darker is exactly `low`
};
std::optional<ValueRange> value_range(const InferenceSteps& steps);

/// Inference's preprocessing for scan and label together; the label map is applied once the label is on the grid trained on.
/// Throws Error(unsupported) on a transform that vesal cannot apply to a label.
List fixed_steps(const InferenceSteps& steps, const RecipePlan& plan);
/// Patches cut out of a preprocessed case and changed at random.
List random_steps(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan);

}  // namespace vesal::tune
