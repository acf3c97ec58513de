// The weights that a training starts from: the base's own, or with a new output layer in which every weight that fits is copied.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tune/base_bundle.h"

namespace vesal::tune {

struct StartWeights {
  bundle::StateDict state;
  std::vector<std::string> parameters;                                ///< every parameter's name, in PyTorch's order
  std::vector<std::string> copied;                                    ///< parameters taken over whole
  std::vector<std::string> fresh;                                     ///< parameters that are new, wholly or but for the rows of `kept_classes`
  std::vector<std::string> kept_classes;                              ///< classes of the old output layer whose weights were taken over by name
  std::int64_t weights(const std::vector<std::string>& names) const;  ///< numbers in these parameters
};

/// The base's weights for its own network. Throws Error(weights) when they are of another architecture.
StartWeights own_weights(const BaseBundle& base);

/// The base's weights for the same network with `classes` as output channels. What depends on the number of output channels is found by
/// building the network twice; there only rows of classes with the same name are copied, the rest is initialised from `seed`.
StartWeights transplanted_weights(const BaseBundle& base, const std::vector<std::string>& classes, std::uint64_t seed);

/// network_def with another number of output channels.
Dict with_out_channels(const BaseBundle& base, std::int64_t channels);

/// One pattern for "encoder", "decoder", "head" and regular expressions over parameter names. Throws Error(usage) on parts of a network that
/// has none, on a pattern that names no parameter, and when nothing would be left to train.
std::string freeze_pattern(const std::vector<std::string>& freeze, const std::string& network, const std::vector<std::string>& parameters);
/// The parameters a pattern is found in.
std::vector<std::string> matching(const std::string& pattern, const std::vector<std::string>& parameters);
/// The parameters of the network's head; throws Error(usage) if it is not known which these are.
std::vector<std::string> head_parameters(const std::string& network, const std::vector<std::string>& parameters);

}  // namespace vesal::tune
