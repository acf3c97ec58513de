// Named parameters: what a checkpoint holds and what a network takes.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/array.h"

namespace vesal::bundle {

/// Parameter and buffer names, as in the checkpoint, with their values; order is kept.
using StateDict = std::vector<std::pair<std::string, Array>>;

/// What loading a StateDict found.
struct LoadReport {
  std::vector<std::string> loaded, missing, unexpected;
  std::vector<std::string> misshapen;  ///< "name: checkpoint [32, 1, 3, 3, 3], network [16, 1, 3, 3, 3]"
  bool exact() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  std::string summary() const;  ///< a line per list, at most five names each
};

/// Something with weights: a network, an optimizer.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual StateDict state_dict() const = 0;
  /// strict: throws Error(weights) with the report unless exact. Misshapen entries always throw and nothing is changed.
  virtual LoadReport load_state_dict(const StateDict& state, bool strict) = 0;
};

}  // namespace vesal::bundle
