// What `vesal info FILE` can describe: each kind of file registers a describer in its own .cpp (info_scan.cpp, ...).
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "base/value.h"

namespace vesal::cli {

/// One kind of file. The first whose matches() is true, in order of priority, describes it.
struct Describer {
  std::string kind;                                            ///< "scan", "checkpoint", "bundle"
  int priority = 0;                                            ///< higher is asked first; scans are asked last, at 0
  std::function<bool(const std::filesystem::path&)> matches;   ///< cheap: by name, folder layout or first bytes; must not throw
  std::function<Dict(const std::filesystem::path&)> describe;  ///< what --json prints; may throw
  std::function<std::string(const Dict&)> print;               ///< the same for people; not set: one "key: value" line each
};
struct RegisterDescriber {
  explicit RegisterDescriber(Describer describer);
};

}  // namespace vesal::cli
