#include "kernels/simd.h"

#include <hwy/targets.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"

namespace vesal::kernels {
namespace {

std::atomic<bool> scalar{false}, forced{false};

bool read_environment() {
  const char* name = std::getenv("VESAL_SIMD");
  if (name && *name) set_simd(name);
  return true;
}

}  // namespace

std::vector<std::string> simd_choices() {
  std::vector<std::string> names{"scalar"};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void set_simd(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  scalar = name == "scalar";
  forced = name != "auto";
  if (name != "scalar" && name != "auto") {
    std::string known;
    std::int64_t chosen = 0;
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      known += std::string(", ") + hwy::TargetName(target);
      if (name == hwy::TargetName(target)) chosen = target;
    }
    if (!chosen) throw Error(ErrorKind::usage, "VESAL_SIMD: no instruction set '" + name + "' here; there are auto, scalar" + known);
    hwy::SetSupportedTargetsForTest(chosen);
  }
  hwy::GetChosenTarget().DeInit();
}

bool use_scalar() {
  static const bool read = read_environment();
  return read && scalar;
}

bool chosen_by_machine() { return !use_scalar() && !forced; }

}  // namespace vesal::kernels
