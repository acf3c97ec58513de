// How much memory this process takes.
#pragma once
#include <cstdint>

namespace vesal {

/// The most bytes this process has had in memory at once since it started (Linux: VmHWM); 0 where the system does not say.
std::uint64_t peak_memory();

}  // namespace vesal
