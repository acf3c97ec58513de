// Arguments that many transforms share.
#pragma once
#include <optional>

#include "base/registry.h"

namespace vesal::transforms {

/// A dtype argument: a dtype, its name ("float32"), a Python type (float) or None.
std::optional<DType> dtype_argument(const Value& value);
std::optional<DType> dtype_argument(const Args& args, const std::string& name);

/// float32 as the registered default of a dtype argument.
inline Param dtype_param(DType fallback = DType::f32) { return optional("dtype", Value(fallback), "type of the result; None keeps the input's"); }

}  // namespace vesal::transforms
