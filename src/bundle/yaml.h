// YAML as PyYAML's safe loader reads it: YAML 1.1 scalars, anchors and merge keys, no tags that construct anything.
#pragma once
#include <string>

#include "base/value.h"

namespace vesal::bundle {

/// Throws Error(format) with the line, Error(refused) on a tag of another kind or on aliases that expand without end.
Value parse_yaml(const std::string& text);
/// A plain (unquoted) scalar: 1.0e-5 is a float, 1e-5 a string, "yes" is True, 010 is 8.
Value yaml_scalar(const std::string& text);

}  // namespace vesal::bundle
