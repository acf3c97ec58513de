// What the dataset gate found, as commands print it.
#pragma once
#include <vector>

#include "judge/dataset_gate.h"

namespace vesal::cli {

constexpr int kFindingsExit = 22;  ///< docs/exit-codes.md: the gate found an error

std::size_t count_findings(const std::vector<judge::Finding>& findings, judge::Severity severity);
/// A line for each, and one with the repair.
void print_findings(const std::vector<judge::Finding>& findings);

}  // namespace vesal::cli
