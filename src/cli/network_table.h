// How a network ran, as a table: its steps, what each took, and what went through libtorch and why.
#pragma once
#include <string>

#include "base/value.h"

namespace vesal::cli {

/// Of Predictor::runs(). One line per step: what, where it comes from, the shape it makes, GFLOP, MB, ms, GFLOP/s; then their sums.
std::string network_table(const Value& runs);

}  // namespace vesal::cli
