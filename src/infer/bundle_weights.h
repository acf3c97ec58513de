// The weights of a bundle: where its configuration says they are, and into the network with them.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "base/value.h"
#include "bundle/config.h"

namespace vesal::infer {

/// A file of weights and the entry in it that belongs to the network.
struct WeightsPlace {
  std::filesystem::path file;
  std::string key;  ///< "model" of {"model": state_dict}; empty: found out by the reader
};

/// The load_path of the configuration's CheckpointLoader if there is such a file, else models/model.pt, .safetensors, .ts of the bundle.
/// Throws Error(not_found) naming the files looked for.
WeightsPlace find_weights(bundle::ConfigParser& config, const std::filesystem::path& folder);

/// Loads a checkpoint strictly into `network` (a bundle::Stateful); a TorchScript archive is a whole network and replaces it.
/// `make_network` is called only when a network is needed. Throws Error(weights | format | refused | ...) naming the file.
Value load_network(const WeightsPlace& place, const std::function<Value()>& make_network);

}  // namespace vesal::infer
