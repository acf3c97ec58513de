// A part of a configuration written out: references and macros replaced by what they stand for, expressions kept as text.
#pragma once
#include <string>

#include "bundle/config.h"

namespace vesal::tune {

/// The value of `id` as JSON can hold it. Expressions without references stay as they are; those with references must give plain data.
/// Throws Error(unsupported | not_found | config) naming the id.
Value plain_config(bundle::ConfigParser& parser, const std::string& id);

}  // namespace vesal::tune
