// A bundle's first entry in the registry: the gate over its reference set and pool, its scores, then all of it or nothing.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge/dataset_gate.h"
#include "tune/registry.h"

namespace vesal::tune {

struct InitOptions {
  std::string name;
  std::filesystem::path bundle;
  judge::CaseSet reference, pool;
  judge::LabelMap reference_map, pool_map;
  std::map<std::int64_t, std::string> classes;  ///< of the bundle, without background
  std::string device = "auto";
};

struct InitResult {
  std::vector<judge::Finding> findings;  ///< with an error among them nothing was registered
  std::optional<Model> model;
  double dice = 0;  ///< on the reference set
};

/// Throws Error(usage) on fewer than three reference cases, a name that is taken, and cases that cannot be judged.
InitResult init_model(const Registry& registry, const InitOptions& options, const Program& program);

}  // namespace vesal::tune
