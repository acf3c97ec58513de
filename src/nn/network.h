// Network: a tree of layers as the object a configuration holds, as a Predictor and as something with weights.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/registry.h"
#include "bundle/state.h"
#include "engine/predictor.h"
#include "nn/engines.h"
#include "nn/tensor.h"

namespace torch::jit {
struct Graph;
}

namespace vesal::nn {

class Layer;

/// What configurations call: to(device), cuda(), cpu(), eval(), train(mode), parameters(), named_parameters(), state_dict(),
/// load_state_dict(dict or path, strict=True), and the network itself: arrays in, arrays out without gradients; TensorObjects in,
/// TensorObjects out with them. One thread at a time.
class Network : public Object, public engine::Predictor, public bundle::Stateful {
 public:
  explicit Network(std::string name) : name_(std::move(name)) {}

  /// The computation itself, with gradients where the tensors and the mode want them.
  virtual Tensors forward(const Tensors& inputs) = 0;
  virtual void train(bool on = true) = 0;  ///< training or evaluation; a network starts in evaluation
  virtual bool training() const = 0;
  /// Throws Error(unsupported) if this build of libtorch or this machine has no such device.
  virtual void to(const torch::Device& device) = 0;
  virtual torch::Device device() const = 0;
  /// Every parameter once, under its first name, in PyTorch's order; to() and load_state_dict() keep their identity.
  virtual std::vector<std::pair<std::string, Tensor>> named_parameters() const = 0;
  /// Parameters and buffers as PyTorch's state_dict lists them; modules reached by two ways come twice.
  virtual std::vector<std::pair<std::string, Tensor>> named_state() const = 0;

  /// What it does in evaluation as a graph of operators; `self` becomes the graph's first input if it is an object. It may be run on an
  /// input of this shape for that. No parameter may require gradients meanwhile. Throws Error(unsupported) if there is no such graph.
  virtual std::shared_ptr<torch::jit::Graph> computation(const Shape& input, c10::IValue& self);

  void eval() { train(false); }
  std::vector<Tensor> parameters() const;

  /// Always in evaluation mode and without gradients, whatever mode is set. On the CPU the fused engine computes what it can; with
  /// VESAL_ENGINE=off it is libtorch alone, as in forward().
  std::vector<Array> predict(const std::vector<Array>& inputs) override;
  bool predict_planes(const std::vector<Array>& inputs, const engine::TakePlanes& take) override;
  void set_bf16(bool on) override { engines_.set_bf16(on); }
  void set_profiling(bool on) override { engines_.set_profiling(on); }
  Value runs() const override { return engines_.runs(); }
  void rest() override;
  bundle::StateDict state_dict() const override;
  bundle::LoadReport load_state_dict(const bundle::StateDict& state, bool strict) override;

  std::string type_name() const override { return name_; }
  std::optional<Value> attribute(std::string_view name) override;
  Value call(const CallArgs& args) override;

 private:
  std::vector<Array> run(const std::vector<Array>& inputs);
  std::string name_;
  Engines engines_;
};
using NetworkPtr = std::shared_ptr<Network>;

/// A network of this name around its outermost layer.
NetworkPtr make_network(const std::string& name, std::shared_ptr<Layer> root);

/// "cpu" or a CUDA device there is; throws Error(unsupported) otherwise.
torch::Device torch_device(const std::string& text);

}  // namespace vesal::nn
