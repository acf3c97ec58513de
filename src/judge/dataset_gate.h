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

struct Finding {
  Severity severity = Severity::error;
  std::string rule;  ///< e.g. "grid", "labels", "duplicate"; docs/datasets.md lists them
  std::string case_id;
  std::filesystem::path file;
  std::string message, repair;
};

struct GateOptions {
  LabelMap label_map;                            ///< empty: equal numbers
  std::map<std::int64_t, std::string> declared;  ///< labels that are trained (after the map) and their names, without background; empty: the set's
  std::string modality;                          ///< "CT", "MR"; empty: the set's
};

/// Looks at every file once (voxels included), in parallel. Training and validation are told apart to find cases that are in both.
std::vector<Finding> check_dataset(const CaseSet& training, const CaseSet& validation, const GateOptions& options);
bool passes(const std::vector<Finding>& findings);  ///< no error among them
Value to_value(const std::vector<Finding>& findings);

}  // namespace vesal::judge
