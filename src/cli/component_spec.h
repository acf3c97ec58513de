// A component given on the command line.
#pragma once
#include <string>

#include "base/value.h"

namespace vesal::cli {

/// JSON, a Python dict, a bare name ("UNet"), or a .json or .yaml file. Throws Error(usage | format).
Value component_spec(const std::string& text);

}  // namespace vesal::cli
