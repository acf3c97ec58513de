// Arguments that say something per spatial axis.
#pragma once
#include <string>
#include <vector>

#include "base/registry.h"

namespace vesal::transforms {

/// An int for all axes or one per axis, from a number, list or integer array; throws Error(config) naming the argument.
std::vector<std::int64_t> per_axis(const Value& value, std::size_t rank, const std::string& name);
/// Extents asked for; those that are not positive (or None) become the defaults. MONAI: fall_back_tuple.
Shape extents_or(const Value& value, const Shape& defaults, const std::string& name);
/// Rounded up to multiples of k; k <= 0 keeps the extent. MONAI: compute_divisible_spatial_size.
Shape divisible(const Shape& shape, const Value& k);

}  // namespace vesal::transforms
