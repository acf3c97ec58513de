// What a month's increment will do, fixed before it begins: which new cases train, which choose the epoch, which judge.
#pragma once
#include <string>
#include <vector>

#include "base/value.h"
#include "tune/registry.h"
#include "tune/tuning.h"

namespace vesal::tune {

struct IncrementOptions {
  judge::CaseSet data;         ///< the month's new cases
  judge::LabelMap label_map;   ///< of their labels
  std::string month;           ///< what the increment is called: "2026-11"
  double margin = 0.01;        ///< Dice that the challenger may lose on the reference set
  double judging_share = 0.3;  ///< of the new cases, held out from the training
  std::string accept_anyway;   ///< why labels that look wrong are right; empty: nobody says so
  TuningOptions training;      ///< epochs, rates, seed, replay_share and the like; bundle, cases and output are set by the increment
};

enum class Part { training, validation, judging };
const char* name_of(Part part);  ///< "training", "validation", "judging"

struct MonthPlan {
  std::string month, parent, version;         ///< parent: the champion it starts from; version: the challenger's
  std::vector<HashedCase> cases;              ///< new ones, by hash
  std::vector<Part> parts;                    ///< of each of them
  std::vector<HashedCase> replay;             ///< of the pool, without what is new
  std::vector<HashedCase> replay_validation;  ///< of the pool: they help to choose the epoch
  std::vector<std::string> known;             ///< new cases that were learned already, left out
  std::string fingerprint;                    ///< equal for equal cases, parent and options: the same month

  std::vector<HashedCase> of(Part part) const;
};

/// Cases are dealt by their scans' hashes: the first round(share * n) judge, of five or more others one in five chooses the epoch (else all others
/// do). One in four of the pool, ten at most, helps to choose and is not trained on. Throws Error(usage) on fewer than two new cases and on
/// options that make no sense.
MonthPlan plan_month(const ModelState& state, std::vector<HashedCase> fresh, std::vector<HashedCase> pool, const IncrementOptions& options);

/// Equal for equal cases (before anything is left out), reference set and options, whatever the champion: the same command.
std::string request_hash(const ModelState& state, std::vector<HashedCase> fresh, const IncrementOptions& options);

/// The options as the journal keeps them.
Dict to_value(const IncrementOptions& options);

}  // namespace vesal::tune
