// The bundle that a tuning starts from, studied: what of its inference configuration a training recipe is made of.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/value.h"
#include "bundle/bundle_folder.h"
#include "bundle/config.h"
#include "bundle/state.h"

namespace vesal::tune {

struct BaseBundle {
  bundle::BundleFacts facts;
  std::filesystem::path config_file;  ///< its inference configuration
  Value config;                       ///< as written, macros replaced
  List imports;
  std::string device;  ///< an expression

  std::string network;  ///< the component's name: "UNet"
  Dict network_def;     ///< with "_target_", references replaced
  std::string out_id;   ///< where the configuration says how many output channels there are: "network_def::out_channels"
  int spatial_dims = 3;
  std::int64_t in_channels = 1, out_channels = 2;
  bool overlapping = false;          ///< channels do not exclude each other (sigmoid)
  std::vector<std::string> classes;  ///< a name for each output channel

  std::filesystem::path weights;
  std::string weights_key;
};

/// Throws Error(not_found | format | config | unsupported) naming the file and the id.
BaseBundle read_base(const std::filesystem::path& folder);

/// The named tensors of the base's checkpoint. Throws Error(weights | unsupported | ...) naming the file.
bundle::StateDict read_weights(const BaseBundle& base);

/// What inference does before and around the network, as a recipe can write it down: references replaced, the scan under "image".
struct InferenceSteps {
  std::vector<Dict> preprocessing;  ///< MONAI's dictionary transforms in order, Compose unpacked
  Dict inferer;
  std::vector<std::int64_t> roi_size;  ///< of the inferer's windows; empty if it has none
};
/// Throws Error(unsupported) saying which id cannot be written down, and what to do instead.
InferenceSteps read_inference_steps(const BaseBundle& base);

}  // namespace vesal::tune
