// Networks written to files: each format registers a writer, chosen by the file's extension. Weights only (.pt, .safetensors) here;
// whole networks (.ts) where libtorch is.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::bundle {

struct NetworkExport {
  Value network;  ///< an object with weights (Stateful), loaded
  std::filesystem::path path;
  Shape input_shape;                             ///< [N, C, spatial...] for formats made by a trial run; empty if unknown
  std::map<std::string, std::string> documents;  ///< JSON texts that go along, by name: "metadata.json", "inference.json"
};

struct NetworkWriter {
  std::vector<std::string> extensions;  ///< ".pt"
  std::function<void(const NetworkExport&)> write;
};
struct RegisterNetworkWriter {
  explicit RegisterNetworkWriter(NetworkWriter writer);
};

/// Throws Error(usage) naming the extensions there are when none fits; each writer leaves the whole file or none.
void write_network(const NetworkExport& what);

}  // namespace vesal::bundle
