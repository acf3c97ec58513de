// Between JSON text and Value.
#pragma once
#include <string>
#include <string_view>

#include "base/value.h"

namespace vesal {

/// Keys keep their order. Throws Error(format) with line and column; depth and size are bounded.
Value parse_json(std::string_view text);
/// Objects, dtypes and arrays appear as their repr strings; indent < 0 gives one line.
std::string to_json(const Value& value, int indent = 2);

}  // namespace vesal
