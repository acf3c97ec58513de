// The recipe of a bundle that brings its own: configs/train.json with the user's cases, the bundle's weights to begin with, and the
// best weights kept where a bundle has them.
#pragma once
#include "tune/recipe.h"
#include "tune/tuning.h"

namespace vesal::tune {

/// Throws Error(unsupported | usage | not_found) naming the file and the id that is missing, or the option that this recipe cannot follow.
Dict adapt_train_config(const BaseBundle& base, const RecipePlan& plan, const TuningOptions& options);

}  // namespace vesal::tune
