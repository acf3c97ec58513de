// Layer: a part of a network, with named parameters and children as PyTorch has them.
#pragma once
#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <string>

#include "nn/tensor.h"

namespace vesal::nn {

/// A function of a tensor [N, C, spatial...] with parameters. Names of parameters, buffers and children are those of the MONAI or
/// PyTorch module of the same name: they decide which checkpoint fits.
class Layer : public torch::nn::Module {
 public:
  virtual Tensor forward(const Tensor& x) = 0;
  /// For networks of several inputs or outputs; the base takes one and gives one.
  virtual Tensors forward_all(const Tensors& inputs);

 protected:
  /// An uninitialised parameter of this layer; refuses absurd sizes before they are allocated.
  Tensor new_parameter(const std::string& name, const Shape& shape);
};
using LayerPtr = std::shared_ptr<Layer>;

/// Layers one after another (nn.Sequential); children may be named or numbered.
class Chain : public Layer {
 public:
  Chain() = default;
  Chain(std::initializer_list<LayerPtr> layers);
  Chain& add(const std::string& name, const LayerPtr& layer);
  Chain& add(const LayerPtr& layer) { return add(std::to_string(layers_.size()), layer); }
  Tensor forward(const Tensor& x) override;
  const std::vector<LayerPtr>& layers() const { return layers_; }

 private:
  std::vector<LayerPtr> layers_;
};

/// Layers that somebody else calls one by one (nn.ModuleList).
class LayerList : public torch::nn::Module {
 public:
  void add(const LayerPtr& layer);
  const std::vector<LayerPtr>& layers() const { return layers_; }

 private:
  std::vector<LayerPtr> layers_;
};

class Identity : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return x; }
};

/// A layer without parameters.
class Lambda : public Layer {
 public:
  explicit Lambda(std::function<Tensor(const Tensor&)> body) : body_(std::move(body)) {}
  Tensor forward(const Tensor& x) override { return body_(x); }

 private:
  std::function<Tensor(const Tensor&)> body_;
};

/// Calls visit(name, tensor) for every parameter and buffer in the order of PyTorch's state_dict: a module's parameters, its
/// buffers, then its children. Modules reached by two ways come twice, under both names.
void visit_state(const torch::nn::Module& module, const std::function<void(const std::string&, const Tensor&)>& visit,
                 const std::string& prefix = "");

}  // namespace vesal::nn
