// The files of a new bundle: a working 3D segmentation bundle to change to one's own.
#pragma once
#include <map>
#include <string>

#include "base/value.h"

namespace vesal::cli {

/// Path inside the bundle -> text. `network` is the component that stands as network_def; its in_channels, out_channels and
/// spatial_dims, where it has them, go into the metadata.
std::map<std::string, std::string> starter_bundle(const std::string& name, const Value& network);

}  // namespace vesal::cli
