// What `vesal finetune` and `vesal transfer` share.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"
#include "tune/tuning.h"

namespace vesal::cli {

struct TuneOptions {
  std::string bundle = "spleen_ct_phantom";
  std::vector<std::string> data, validation, replay;
  double validation_share = 0.2;
  std::string label_map;
  std::vector<std::int64_t> patch;
  std::vector<std::string> overrides;
  std::string no_gate;  ///< why the data are not checked
  bool no_evaluation = false, dry_run = false;
  tune::TuningOptions tuning;
};

/// Adds every option but --classes.
void add_tune_options(CLI::App& app, TuneOptions& o);
/// Gate, plan, training, comparison with the base; the exit code.
int run_tuning(TuneOptions o);

}  // namespace vesal::cli
