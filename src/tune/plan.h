// The numbers of a tuning: what was asked for, and for the rest what suits the data and an ordinary PC.
#pragma once
#include "tune/case_grids.h"
#include "tune/recipe.h"
#include "tune/start_weights.h"
#include "tune/tuning.h"

namespace vesal::tune {

/// Throws Error(usage) on options that make no sense, naming the option.
RecipePlan make_plan(const BaseBundle& base, const InferenceSteps& steps, const StartWeights& start, const TuningOptions& options);

/// Voxels per axis that the network halves again and again: extents of patches are multiples of it.
std::vector<std::int64_t> patch_multiple(const BaseBundle& base);

}  // namespace vesal::tune
