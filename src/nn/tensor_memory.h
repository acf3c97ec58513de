// The memory libtorch's tensors lie in on the CPU: large blocks are kept and handed out again instead of going back to the system each time.
#pragma once
#include <cstdint>

namespace vesal::nn {

/// Bytes of all tensors on the CPU now, and the most since the last reset. Not counted: what oneDNN takes for itself while it computes.
struct TensorMemory {
  std::uint64_t now = 0, most = 0;
};
TensorMemory tensor_memory();
/// The most is what there is now.
void reset_tensor_memory();
/// Gives blocks that no tensor uses back to the system.
void release_tensor_memory();

}  // namespace vesal::nn
