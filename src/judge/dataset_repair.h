// A repaired copy of a set of labelled cases.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "judge/dataset_gate.h"

namespace vesal::judge {

struct Repaired {
  std::filesystem::path folder;
  std::size_t training = 0, validation = 0;  ///< cases written
  std::vector<std::string> done, left_out;   ///< "spleen_2: label resampled onto the scan's grid"; "spleen_3: the label cannot be read: ..."
};

/// Writes the cases into a new folder in Decathlon layout, with what `findings` (of check_dataset) can repair repaired, labels as the map says, and
/// without the cases that cannot be: dataset.json, imagesTr, labelsTr, repairs.json. Nothing of the source is changed; the folder appears whole or
/// not at all. Throws Error(usage) if `out` is there and not empty, Error(io).
Repaired repair_dataset(const CaseSet& training, const CaseSet& validation, const GateOptions& options, const std::vector<Finding>& findings,
                        const std::filesystem::path& out);

}  // namespace vesal::judge
