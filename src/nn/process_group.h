// The ranks' connections: libtorch's c10d, Gloo for the host's memory and NCCL for that of GPUs.
// libtorch has it built in, but Gloo's headers come apart (libgloo-dev): without them VESAL_C10D is not defined and one process runs.
#pragma once
#if defined(USE_C10D_GLOO) && __has_include(<gloo/context.h>)
#define VESAL_C10D
#endif
#ifdef VESAL_C10D
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

#include "base/ranks.h"
#include "nn/tensor.h"

namespace vesal::nn {

/// What the ranks of a job share beyond ranks::Group: tensors.
class TensorGroup : public ranks::Group {
 public:
  using ProcessGroup = c10::intrusive_ptr<c10d::ProcessGroup>;
  /// What carries tensors of that device. Throws Error(unsupported) if this libtorch has nothing for it.
  virtual ProcessGroup process_group(const torch::Device& device) = 0;
  /// Waits until `work` is done; throws as gather() does if a rank is gone meanwhile. After a minute it warns that it waits at `what`.
  virtual void wait(c10d::Work& work, const std::string& what) = 0;
  /// Rank 0's values for everybody; all ranks give tensors of the same shapes, types and device in the same order.
  virtual void broadcast(const std::vector<Tensor>& tensors) = 0;
};

/// That of this process; nullptr for one process.
std::shared_ptr<TensorGroup> tensor_group();

}  // namespace vesal::nn
#endif
