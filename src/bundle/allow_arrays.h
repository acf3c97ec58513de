// What numpy and torch have in common: functions on arrays, registered under both names.
#pragma once
#include <optional>

#include "base/value.h"

namespace vesal::bundle {

/// A type given as a dtype, a string or a builtin ("float" and "int" have 64 bits); None is none. Throws Error(config) on anything else.
std::optional<DType> dtype_of_value(const Value& v);
/// An array of `shape`, paid for from the budget of the evaluation. Throws Error(memory).
Array fresh_array(const Shape& shape, DType type);
/// (2, 3), [2, 3] or 2, 3 as a shape; names as "dtype" are left alone.
Shape shape_argument(const CallArgs& args);
/// A named argument or nullptr.
const Value* named_argument(const CallArgs& args, std::string_view name);

}  // namespace vesal::bundle
