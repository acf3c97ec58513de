// How a training went, epoch by epoch.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::infer {

/// NaN where nothing was measured.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  double loss = 0;         ///< mean over the epoch's iterations
  double learning_rate = 0;
  double seconds = 0;                        ///< with the validation after it
  std::map<std::string, double> metrics;     ///< of the trainer, by name; single numbers only
  std::map<std::string, double> validation;  ///< of the evaluators that ran inside of the epoch
};
using History = std::vector<EpochRecord>;

/// [{"epoch": 1, "loss": ..., "learning_rate": ..., "seconds": ..., "metrics": {...}, "validation": {...}}], None for NaN.
Value to_value(const History& history);
/// Throws Error(format).
History history_of(const Value& value);

}  // namespace vesal::infer
