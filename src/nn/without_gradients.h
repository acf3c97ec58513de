// Tracing wants parameters that need no gradients.
#pragma once
#include "nn/network.h"

namespace vesal::nn {

/// While it lives no parameter of the network requires gradients; those that did get them back.
class WithoutGradients {
 public:
  explicit WithoutGradients(const Network& network) {
    for (const auto& [name, tensor] : network.named_state())
      if (tensor.requires_grad()) tensors_.push_back(tensor);
    set(false);
  }
  ~WithoutGradients() { set(true); }
  WithoutGradients(const WithoutGradients&) = delete;
  WithoutGradients& operator=(const WithoutGradients&) = delete;

 private:
  void set(bool on) {
    for (const Tensor& tensor : tensors_) tensor.set_requires_grad(on);
  }
  Tensors tensors_;
};

}  // namespace vesal::nn
