// The monthly increment: a model trains on with the month's new cases and takes over only if it is no worse for it.
//
//   gate -> champion on the new cases (do the labels look right?) -> training with replay -> champion and challenger on the frozen reference set and
//   on the new cases held out -> decision -> journal
//
// Everything on the way is kept below months/ until the decision is in the journal: the same command goes on after a crash.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "judge/dataset_gate.h"
#include "tune/acceptance.h"
#include "tune/increment_plan.h"
#include "tune/registry.h"

namespace vesal::tune {

enum class Outcome {
  accepted,
  rejected,  ///< trained, and not good enough: the version is kept, the champion stays
  findings,  ///< refused before training: the gate found errors
  suspects   ///< refused before training: labels look wrong
};
const char* name_of(Outcome outcome);  ///< "accepted", "rejected", "findings", "suspect-labels"
int exit_code(Outcome outcome);        ///< 0, 23, 22, 24: docs/exit-codes.md

struct IncrementResult {
  Outcome outcome = Outcome::rejected;
  bool decided_before = false;       ///< nothing was done: the journal has this month already
  JournalEntry entry;                ///< the decision
  std::vector<std::string> reasons;  ///< in sentences
  std::vector<judge::Finding> findings;
  Screening screening;
};

/// Throws Error(usage | not_found | io | refused | cancelled | ...); what was done until then is kept.
IncrementResult increment(const Model& model, const IncrementOptions& options, const Program& program);

}  // namespace vesal::tune
