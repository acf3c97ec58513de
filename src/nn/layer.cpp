#include "nn/layer.h"

namespace vesal::nn {

Tensors Layer::forward_all(const Tensors& inputs) {
  if (inputs.size() != 1) throw Error(ErrorKind::shape, "the network takes one input, got " + std::to_string(inputs.size()));
  return {forward(inputs[0])};
}

Tensor Layer::new_parameter(const std::string& parameter, const Shape& shape) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 30;
  for (std::int64_t extent : shape)
    if (extent < 1) throw Error(ErrorKind::config, parameter + " of shape " + to_string(shape));
  if (numel_of(shape) > kMostElements) throw Error(ErrorKind::config, parameter + " of shape " + to_string(shape) + " is too large");
  return register_parameter(parameter, torch::empty(shape));
}

Chain::Chain(std::initializer_list<LayerPtr> layers) {
  for (const LayerPtr& layer : layers) add(layer);
}

Chain& Chain::add(const std::string& name, const LayerPtr& layer) {
  layers_.push_back(register_module(name, layer));
  return *this;
}

Tensor Chain::forward(const Tensor& x) {
  Tensor y = x;
  for (const LayerPtr& layer : layers_) y = layer->forward(y);
  return y;
}

void LayerList::add(const LayerPtr& layer) { layers_.push_back(register_module(std::to_string(layers_.size()), layer)); }

void visit_state(const torch::nn::Module& module, const std::function<void(const std::string&, const Tensor&)>& visit, const std::string& prefix) {
  for (const auto& item : module.named_parameters(false)) visit(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(false)) visit(prefix + item.key(), item.value());
  for (const auto& item : module.named_children()) visit_state(*item.value(), visit, prefix + item.key() + ".");
}

}  // namespace vesal::nn
