// GradientAverager: gradients become their mean over the ranks while the backward pass goes on (Li et al., VLDB 2020, PyTorch
// Distributed). libtorch's own c10d::Reducer cannot be used: its header includes one that no libtorch installs.
#pragma once
#include "nn/process_group.h"
#ifdef VESAL_C10D
#include <torch/csrc/autograd/function.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vesal::nn {

/// Gradients travel in buckets, filled in the opposite order of the parameters: the last layers' come first. A bucket leaves as soon
/// as all its gradients are there, in the same order on all ranks. One backward pass for each prepare().
class GradientAverager {
 public:
  struct Options {
    std::int64_t bucket_bytes = 25 << 20;
    bool find_unused = false;  ///< parameters may have no part in an output; else that is an error
  };
  /// The parameters must learn and have the same shapes in the same order on all ranks.
  GradientAverager(std::vector<std::pair<std::string, Tensor>> parameters, std::shared_ptr<TensorGroup> group, const Options& options);
  ~GradientAverager();
  GradientAverager(const GradientAverager&) = delete;
  GradientAverager& operator=(const GradientAverager&) = delete;

  /// Before the backward pass of these outputs.
  void prepare(const Tensors& outputs);

 private:
  struct Parameter {
    std::string name;
    Tensor tensor;
    std::size_t bucket = 0;
    bool ready = false, used = false;
    std::shared_ptr<torch::autograd::Node> accumulator = {};  ///< kept alive: it holds the hook
    std::uintptr_t hook = 0;
  };
  struct Bucket {
    std::vector<std::size_t> parameters;
    std::size_t waiting = 0;
    std::vector<Tensor> flat;  ///< one tensor: all gradients, one after another
    c10::intrusive_ptr<c10d::Work> work;
  };
  void ready(std::size_t parameter, bool used);
  void send(Bucket& bucket);
  void finish();

  const Options options_;
  std::shared_ptr<TensorGroup> group_;
  std::vector<Parameter> parameters_;
  std::vector<Bucket> buckets_;
  std::mutex mutex_;  ///< backward passes on several devices have several threads
  std::size_t next_ = 0;
  bool expecting_ = false, finishing_ = false;
};

}  // namespace vesal::nn
#endif
