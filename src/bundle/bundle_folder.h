// A bundle's folder: where bundles are looked for, which files one has, and what its metadata say about it.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::bundle {

/// What configs/metadata.json says, as far as vesal shows or uses it; empty where it says nothing.
struct BundleFacts {
  std::filesystem::path folder;
  std::string name;  ///< the metadata's, else the folder's
  std::string version, task, description, intended_use;
  std::map<std::int64_t, std::string> input_channels;   ///< of inputs.image: channel -> name
  std::map<std::int64_t, std::string> output_channels;  ///< of outputs.pred: channel -> name
  int spatial_axes = 0;                                 ///< of inputs.image; 0: not said
  Value metadata;                                       ///< the whole, a dict

  /// Whether the authors say that it is a demonstration or not meant for diagnosis.
  bool not_for_diagnosis() const;
  /// Whether channel 0 stands for "nothing of interest", so that the channels exclude each other and channel numbers are labels.
  bool has_background() const;
};
/// Throws Error(not_found | format) naming the file.
BundleFacts read_bundle_facts(const std::filesystem::path& folder);

/// Whether a folder looks like a bundle: it has configs/ with metadata or an inference configuration. Never throws.
bool is_bundle(const std::filesystem::path& folder);
/// configs/NAME.json, .yaml or .yml; throws Error(not_found) saying which there are.
std::filesystem::path config_file(const std::filesystem::path& folder, const std::string& name);

/// Folders that hold bundles, first one first: those of $VESAL_BUNDLES (separated by colons), $XDG_DATA_HOME/vesal/bundles (by default in
/// ~/.local/share), then bundles/ beside the program, in its installation and in the source tree it was built in.
std::vector<std::filesystem::path> bundle_roots();
/// The bundles in these folders by name; of equal names the first counts.
std::map<std::string, std::filesystem::path> list_bundles(const std::vector<std::filesystem::path>& roots);
/// By folder, by name, or MODEL@champion and MODEL@VERSION of the registry of models; throws Error(not_found) with the nearest names.
std::filesystem::path find_bundle(const std::string& name_or_folder, const std::vector<std::filesystem::path>& roots);

}  // namespace vesal::bundle
