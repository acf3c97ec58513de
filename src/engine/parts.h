// Which parameters of a network are its encoder, its decoder and its head: what fine-tuning freezes or teaches at another rate.
#pragma once
#include <string>
#include <vector>

namespace vesal::engine {

/// Regular expressions over parameter names (searched for, as Python's re.search does); together they name every parameter once.
struct NetworkParts {
  std::string encoder;  ///< from the input down, the lowest level included
  std::string decoder;  ///< from there up
  std::string head;     ///< what has the shape of the output channels
};

/// static const RegisterParts parts("UNet", {...}): beside the network, in its own file.
struct RegisterParts {
  RegisterParts(std::string network, NetworkParts parts);
};
/// nullptr if nothing is known about this network (a component's own name, "UNet").
const NetworkParts* find_parts(const std::string& network);

}  // namespace vesal::engine
