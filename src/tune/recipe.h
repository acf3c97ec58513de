// A training recipe as MONAI's configuration language writes it, made from what a bundle's inference does, so that the network
// learns on what it will see. docs/finetune.md explains each part.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/value.h"
#include "judge/cases.h"
#include "tune/base_bundle.h"

namespace vesal::tune {

/// Everything that a recipe says in numbers.
struct RecipePlan {
  std::vector<std::int64_t> patch_size;  ///< what the network sees
  std::vector<std::int64_t> crop_size;   ///< what is cut out before it is rotated and zoomed into a patch; no less than patch_size
  std::vector<double> spacing;           ///< mm per axis of the grid that is trained on
  std::int64_t batch_size = 2;           ///< cases of an iteration
  std::int64_t samples_per_case = 1;
  std::int64_t epochs = 50, iterations = 40;  ///< iterations of an epoch
  std::int64_t validation_interval = 5;       ///< epochs
  bool start_counts = true;                   ///< epoch 0 is validated too
  std::int64_t patience = 0;                  ///< validations; 0: no early stop
  double learning_rate = 5e-4, warm_factor = 1;
  std::string augmentation = "standard";
  std::uint64_t seed = 1;

  Dict network_def;
  std::int64_t out_channels = 2;
  std::vector<std::string> full_rate;  ///< parameters that learn at the full rate where warm_factor is not 1
  std::string freeze;                  ///< pattern over names of parameters; empty: none
  judge::LabelMap label_map;           ///< of the training and validation cases
  std::int64_t case_repeats = 1;       ///< how often a pass shows each training case
  std::int64_t replay_repeats = 0;     ///< and each replayed one; 0: there are none
};

/// configs/train.json. Throws Error(unsupported) if the bundle's inference does not say enough.
Dict make_train_config(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan);
/// configs/evaluate.json, to be read after train.json: the validation cases on their own grids, with models/model.pt.
Dict make_evaluate_config(const BaseBundle& base, const RecipePlan& plan);

}  // namespace vesal::tune
