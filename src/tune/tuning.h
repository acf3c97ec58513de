// Tuning: a bundle's weights trained on with a hospital's own cases, or its body with a new output layer; the result is a complete new bundle.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "judge/cases.h"

namespace vesal::tune {

struct TuningOptions {
  std::filesystem::path bundle;  ///< whose weights and inference.json it starts from
  std::filesystem::path output;  ///< the new bundle's folder
  judge::CaseSet training, validation;
  judge::CaseSet replay;          ///< further training cases, whose labels are the bundle's already
  std::int64_t replay_share = 0;  ///< of 100 training samples so many from `replay`; 0: as they come
  judge::LabelMap label_map;
  std::vector<std::string> classes;  ///< transfer: names of the new output channels, background first; empty: the output layer stays
  std::vector<std::string> freeze;   ///< parts ("encoder", "decoder", "head") or regular expressions over parameter names
  std::optional<std::int64_t> epochs, iterations, batch_size, samples_per_case;  ///< iterations: of an epoch
  std::optional<std::vector<std::int64_t>> patch_size;
  std::optional<double> learning_rate, warm_factor;  ///< warm_factor: what warm layers learn at, as a share of learning_rate
  bool start_counts = true;               ///< whether the weights it starts from may be the result; not where they have seen the validation cases
  std::int64_t patience = 0;              ///< validations without progress before it stops; 0: never
  std::string augmentation = "standard";  ///< "none", "standard", "strong"
  std::string recipe = "inference";       ///< "inference": made from what the bundle's inference does; "bundle": its own train configuration
  std::string data_check;                 ///< what the gate said, for the new bundle's page
  std::string version, name;              ///< of the new bundle; empty: derived
  std::uint64_t seed = 1;
  bool resume = false;
  std::string device = "auto";
  std::vector<std::pair<std::string, std::string>> overrides;  ///< ids of the new train.json
};

struct TuningResult {
  std::filesystem::path bundle;
  double best_score = 0;
  std::int64_t best_epoch = 0, epochs = 0;
  std::vector<std::string> copied, fresh, frozen;  ///< names of parameters
  std::vector<std::string> kept_classes;           ///< classes whose rows of a replaced output layer were copied
};

/// What tune() would do, as plain data for people and scripts: cases, parameters and how many of them learn, patches, epochs, rates, class names.
/// Reads headers and weights, writes nothing. Throws Error as tune() does.
Value plan_of(const TuningOptions& options);

/// Writes OUT/configs/train.json (a recipe that `vesal bundle run` and MONAI run too), trains it, and completes the bundle.
/// Nothing is left half done: a folder that is not finished says so and --resume finishes it. Throws Error.
TuningResult tune(const TuningOptions& options);

}  // namespace vesal::tune
