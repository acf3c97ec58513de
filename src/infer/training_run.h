// Running a configuration that trains: its state kept after every epoch so that it can go on, progress, history.
//
//   infer::run_training(parser, {"initialize", "run"}, {.folder = bundle / "training", .resume = false});
//
// Any trainer that starts meanwhile is watched; a configuration without one simply runs.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bundle/config.h"
#include "infer/training_history.h"

namespace vesal::infer {

struct RunOptions {
  /// Gets state.pt (what --resume needs; torch.load opens it), history.json and curves.png as it goes. Empty: nothing is kept.
  std::filesystem::path folder;
  bool resume = false;
  std::function<void(const History&)> epoch_done;
};

struct RunReport {
  bool trained = false;  ///< whether there was a trainer
  History history;       ///< with the epochs before a resume
};

/// Runs these ids one after the other (those that are not there are skipped). With resume the trainer goes on after the last whole epoch, to the
/// same numbers as if it had never stopped; Throws Error(not_found) if there is no state, Error(weights) if it is of another configuration,
/// Error(cancelled) naming what is kept.
RunReport run_training(bundle::ConfigParser& parser, const std::vector<std::string>& ids, const RunOptions& options);

/// Where a configuration's training keeps its state: BUNDLE_ROOT/training, else training in the current folder.
std::filesystem::path training_folder(bundle::ConfigParser& parser);

}  // namespace vesal::infer
