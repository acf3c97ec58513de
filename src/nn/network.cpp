#include "nn/network.h"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/cuda.h>
#include <torch/utils.h>

#include <algorithm>
#include <map>

#include "base/device.h"
#include "base/ranks.h"
#include "image/image.h"
#include "nn/layer.h"
#include "nn/shape_kernels.h"
#include "nn/tensor_memory.h"

namespace vesal::nn {
namespace {

/// Evaluation mode for a while.
class EvalGuard {
 public:
  explicit EvalGuard(Network& network) : network_(network), was_training_(network.training()) {
    if (was_training_) network_.train(false);
  }
  ~EvalGuard() {
    if (was_training_) network_.train(true);
  }

 private:
  Network& network_;
  bool was_training_;
};

/// Whether a traced network makes tensors on this device, or holds such ones.
bool names_device(torch::jit::Block& block, torch::DeviceType type) {
  for (torch::jit::Node* node : block.nodes()) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value) continue;
    if (value->isDevice() && value->toDevice().type() == type) return true;
    if (value->isTensor() && value->toTensor().defined() && value->toTensor().device().type() == type) return true;
  }
  return false;
}

class LayerNetwork : public Network {
 public:
  LayerNetwork(const std::string& name, std::shared_ptr<Layer> root) : Network(name), root_(std::move(root)) { root_->eval(); }
  Tensors forward(const Tensors& inputs) override { return root_->forward_all(inputs); }
  void train(bool on) override { root_->train(on); }
  bool training() const override { return root_->is_training(); }
  void to(const torch::Device& device) override {
    root_->to(device);
    device_ = device;
  }
  torch::Device device() const override { return device_; }
  std::vector<std::pair<std::string, Tensor>> named_parameters() const override {
    std::vector<std::pair<std::string, Tensor>> list;
    for (const auto& item : root_->named_parameters(true)) {
      const auto same = [&](const auto& seen) { return seen.second.is_same(item.value()); };
      if (std::none_of(list.begin(), list.end(), same)) list.emplace_back(item.key(), item.value());
    }
    return list;
  }
  std::vector<std::pair<std::string, Tensor>> named_state() const override {
    std::vector<std::pair<std::string, Tensor>> list;
    visit_state(*root_, [&](const std::string& name, const Tensor& tensor) { list.emplace_back(name, tensor); });
    return list;
  }
  /// Traced on a tensor without numbers, which is quick; on zeros where a layer can do nothing with that.
  std::shared_ptr<torch::jit::Graph> computation(const Shape& input, c10::IValue&) override {
    add_shape_kernels();
    try {
      const at::AutoDispatchBelowAutograd nothing_to_learn;
      auto graph = trace(torch::empty(input, torch::kMeta));
      if (!names_device(*graph->block(), torch::kMeta)) return graph;
    } catch (const c10::Error&) {}  // what is wrong with the input itself is said below
    return trace(torch::zeros(input));
  }

 private:
  std::shared_ptr<torch::jit::Graph> trace(const Tensor& input) {
    const auto run = [&](torch::jit::Stack inputs) -> torch::jit::Stack {
      const Tensors outputs = forward({inputs.at(0).toTensor()});
      return {outputs.begin(), outputs.end()};
    };
    const auto name_of = [](const torch::autograd::Variable&) { return std::string(); };
    return torch::jit::tracer::trace({input}, run, name_of).first->graph;
  }

  std::shared_ptr<Layer> root_;
  torch::Device device_ = torch::kCPU;
};

}  // namespace

NetworkPtr make_network(const std::string& name, std::shared_ptr<Layer> root) {
  use_thread_count();
  return std::make_shared<LayerNetwork>(name, std::move(root));
}

torch::Device torch_device(const std::string& text) {
  const auto device = Device::parse(text);
  if (device->type == "cpu") return torch::kCPU;
  // Configurations for several GPUs run unmodified where there is none, if a launcher of several processes started this one.
  if (!torch::cuda::is_available() && ranks::seat_from_environment()) {
    ranks::say_no_cuda();
    return torch::kCPU;
  }
  if (!torch::cuda::is_available()) throw Error(ErrorKind::unsupported, text + ": libtorch finds no CUDA device here; use cpu");
  if (device->ordinal() >= static_cast<int>(torch::cuda::device_count()))
    throw Error(ErrorKind::unsupported, text + ": there are " + std::to_string(torch::cuda::device_count()) + " CUDA devices");
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(device->ordinal()));
}

std::shared_ptr<torch::jit::Graph> Network::computation(const Shape&, c10::IValue&) {
  throw Error(ErrorKind::unsupported, type_name() + " has no graph of its own");
}

std::vector<Tensor> Network::parameters() const {
  std::vector<Tensor> list;
  for (auto& [name, tensor] : named_parameters()) list.push_back(tensor);
  return list;
}

std::vector<Array> Network::predict(const std::vector<Array>& inputs) {
  const bool lasting = !training();
  const EvalGuard evaluation(*this);
  if (auto outputs = engines_.predict(*this, inputs, lasting)) return *std::move(outputs);
  const c10::InferenceMode inference;
  return run(inputs);
}

bool Network::predict_planes(const std::vector<Array>& inputs, const engine::TakePlanes& take) {
  const bool lasting = !training();
  const EvalGuard evaluation(*this);
  return engines_.predict_planes(*this, inputs, lasting, take);
}

void Network::rest() { release_tensor_memory(); }

std::vector<Array> Network::run(const std::vector<Array>& inputs) {
  use_thread_count();
  return torch_call([&] {
    Tensors tensors;
    for (const Array& input : inputs) {
      if (!is_floating(input.dtype()) || input.dtype() == DType::f16 || input.dtype() == DType::bf16 || input.dtype() == DType::f64)
        tensors.push_back(to_tensor(input.to(DType::f32)).to(device()));
      else tensors.push_back(to_tensor(input).to(device()));
    }
    std::vector<Array> outputs;
    for (const Tensor& output : forward(tensors)) outputs.push_back(to_array(output.contiguous()));
    return outputs;
  });
}

bundle::StateDict Network::state_dict() const {
  bundle::StateDict state;
  for (const auto& [name, tensor] : named_state()) state.emplace_back(name, to_array(tensor));
  return state;
}

bundle::LoadReport Network::load_state_dict(const bundle::StateDict& state, bool strict) {
  bundle::LoadReport report;
  std::map<std::string, Array> given(state.begin(), state.end());
  const auto own = named_state();
  for (const auto& [name, tensor] : own) {
    const auto found = given.find(name);
    if (found == given.end()) report.missing.push_back(name);
    else if (found->second.shape() != shape_of(tensor))
      report.misshapen.push_back(name + ": checkpoint " + to_string(found->second.shape()) + ", network " + to_string(shape_of(tensor)));
    else report.loaded.push_back(name);
  }
  for (const auto& [name, tensor] : own) given.erase(name);
  for (const auto& [name, array] : given) report.unexpected.push_back(name);
  if (!report.misshapen.empty() || (strict && !report.exact()))
    throw Error(ErrorKind::weights, "the weights do not fit " + type_name() + ": " + report.summary());
  const torch::NoGradGuard no_grad;
  const std::map<std::string, Tensor> targets(own.begin(), own.end());
  for (const auto& [name, array] : state)
    if (const auto target = targets.find(name); target != targets.end()) Tensor(target->second).copy_(to_tensor(array));
  return report;
}

Value Network::call(const CallArgs& args) {
  if (!args.named.empty()) throw Error(ErrorKind::config, type_name() + ": inputs are given by position, not as '" + args.named[0].first + "'");
  if (args.positional.empty()) throw Error(ErrorKind::config, type_name() + " needs an input");
  const auto unwrap = [this](auto outputs) {
    std::vector<Value> values;
    for (auto& output : outputs) {
      if constexpr (std::is_same_v<std::decay_t<decltype(output)>, Array>) values.emplace_back(output);
      else values.push_back(to_value(output));
    }
    const std::vector<std::string> keys = output_keys();
    if (keys.empty()) return values.size() == 1 ? values[0] : Value(Tuple{std::move(values)});
    Dict named;
    for (std::size_t i = 0; i < keys.size(); ++i) named[keys[i]] = values[i];
    return Value(std::move(named));
  };
  if (args.positional[0].object<TensorObject>()) {
    Tensors inputs;
    for (const Value& value : args.positional) inputs.push_back(tensor_of(value));
    use_thread_count();
    return unwrap(torch_call([&] { return forward(inputs); }));
  }
  std::vector<Array> inputs;
  for (const Value& value : args.positional) inputs.push_back(image::array_of(value));
  if (!training()) return unwrap(predict(inputs));
  const torch::NoGradGuard no_grad;
  return unwrap(run(inputs));
}

}  // namespace vesal::nn
