// The gate before training: what is wrong with a set of labelled cases, and how to repair it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/value.h"
#include "judge/cases.h"

namespace vesal::judge {

enum class Severity { note, warning, error };
const char* name_of(Severity severity);  ///< "note", "warning", "error"

/// What repair_dataset() does about a finding.
enum class Fix {
  none,
  take_grid,    ///< the label gets the scan's header: its voxels are the scan's, its header is not
  resample,     ///< the label is brought onto the scan's grid, nearest neighbour
  round,        ///< label values become whole numbers
  map_labels,   ///< labels outside the declared set become background
  millimetres,  ///< the header's lengths are converted
  mirror_x,     ///< left and right change places in both headers
  mirror_y,     ///< front and back do
  turn_z,       ///< both do: the patient is turned about the long axis
  hounsfield,   ///< 1024 is subtracted
  drop          ///< the case is left out
};

struct Finding {
  Severity severity = Severity::error;
  std::string rule;  ///< e.g. "grid", "labels", "duplicate"; docs/datasets.md lists them
  std::string case_id;
  std::filesystem::path file;
  std::string message, repair;
  Fix fix = Fix::none;
};

struct GateOptions {
  LabelMap label_map;                            ///< empty: equal numbers
  std::map<std::int64_t, std::string> declared;  ///< labels that are trained (after the map) and their names, without background; empty: the set's
  std::string modality;                          ///< "CT", "MR"; empty: the set's
};

/// Looks at every file once (voxels included), several cases at a time. Training and validation are told apart to find cases that are in both.
/// Sorted: errors first, then by rule and case.
std::vector<Finding> check_dataset(const CaseSet& training, const CaseSet& validation, const GateOptions& options);
bool passes(const std::vector<Finding>& findings);  ///< no error among them
Value to_value(const std::vector<Finding>& findings);

}  // namespace vesal::judge
