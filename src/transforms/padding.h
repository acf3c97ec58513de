// Widening images: what numpy.pad and torch's pad call constant, edge, reflect, symmetric, wrap, minimum, maximum and mean.
#pragma once
#include <string>

#include "transforms/spatial_step.h"

namespace vesal::transforms {

struct PadMode {
  enum class Kind { constant, edge, reflect, symmetric, wrap, minimum, maximum, mean } kind = Kind::constant;
  double value = 0;
};
/// `mode` by numpy's or torch's name; `kwargs` may hold "value" or "constant_values". Throws Error(config).
PadMode pad_mode(const std::string& mode, const Dict& kwargs);

/// [C, spatial...] with `before` and `after` more voxels per spatial axis.
Array pad(const Array& voxels, const Shape& before, const Shape& after, const PadMode& mode);
/// Puts [begin, end) of the image's grid in its place, padding where that lies outside; one step on the trail.
Image pad_or_crop(const Image& image, const Shape& begin, const Shape& end, const PadMode& mode, const std::string& name);

}  // namespace vesal::transforms
