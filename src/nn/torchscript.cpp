#include "nn/torchscript.h"

#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/script.h>

#include <algorithm>
#include <map>

#include "base/device.h"
#include "base/log.h"
#include "bundle/checkpoint.h"
#include "bundle/torchscript_archive.h"

namespace vesal::nn {
namespace {

/// What a forward() returned, flattened; keys if it was a dict.
struct Returned {
  Tensors tensors;
  std::vector<std::string> keys;
};

Returned flatten(const c10::IValue& value) {
  Returned out;
  const auto add = [&](const c10::IValue& item) {
    if (!item.isTensor()) throw Error(ErrorKind::unsupported, "a TorchScript network that returns a " + value.type()->annotation_str());
    out.tensors.push_back(item.toTensor());
  };
  if (value.isTuple()) {
    for (const c10::IValue& item : value.toTupleRef().elements()) add(item);
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) add(item);
  } else if (value.isGenericDict()) {
    std::map<std::string, c10::IValue> sorted;
    for (const auto& entry : value.toGenericDict()) {
      if (!entry.key().isString()) throw Error(ErrorKind::unsupported, "a TorchScript network that returns a " + value.type()->annotation_str());
      sorted[entry.key().toStringRef()] = entry.value();
    }
    for (const auto& [key, item] : sorted) {
      out.keys.push_back(key);
      add(item);
    }
  } else {
    add(value);
  }
  return out;
}

template <class F>
void visit_module(const torch::jit::Module& module, const std::string& prefix, const F& visit) {
  for (const auto& item : module.named_parameters(false)) visit(prefix + item.name, item.value, true);
  for (const auto& item : module.named_buffers(false)) visit(prefix + item.name, item.value, false);
  for (const auto& item : module.named_children()) visit_module(item.value, prefix + item.name + ".", visit);
}

class ScriptNetwork : public Network {
 public:
  ScriptNetwork(torch::jit::Module module, const torch::Device& device) : Network("ScriptModule"), module_(std::move(module)), device_(device) {
    module_.train(false);
    inputs_ = module_.get_method("forward").function().getSchema().arguments().size() - 1;
  }

  Tensors forward(const Tensors& inputs) override {
    const auto& arguments = module_.get_method("forward").function().getSchema().arguments();
    const auto needed = std::count_if(arguments.begin() + 1, arguments.end(), [](const auto& a) { return !a.default_value(); });
    if (inputs.size() > inputs_ || static_cast<std::ptrdiff_t>(inputs.size()) < needed)
      throw Error(ErrorKind::shape, "the network takes " + std::to_string(inputs_) + " inputs, got " + std::to_string(inputs.size()));
    try {
      Returned returned = flatten(module_.forward(std::vector<c10::IValue>(inputs.begin(), inputs.end())));
      keys_ = std::move(returned.keys);
      return std::move(returned.tensors);
    } catch (const c10::Error& e) { fail(e.what_without_backtrace()); } catch (const std::runtime_error& e) {
      fail(e.what());
    }
  }
  std::vector<std::string> output_keys() const override { return keys_; }
  void train(bool on) override {
    module_.train(on);
    training_ = on;
  }
  bool training() const override { return training_; }
  void to(const torch::Device& device) override {
    module_.to(device);
    device_ = device;
  }
  torch::Device device() const override { return device_; }
  std::vector<std::pair<std::string, Tensor>> named_parameters() const override {
    std::vector<std::pair<std::string, Tensor>> list;
    visit_module(module_, "", [&](const std::string& name, const Tensor& tensor, bool parameter) {
      const auto same = [&](const auto& seen) { return seen.second.is_same(tensor); };
      if (parameter && std::none_of(list.begin(), list.end(), same)) list.emplace_back(name, tensor);
    });
    return list;
  }
  std::vector<std::pair<std::string, Tensor>> named_state() const override {
    std::vector<std::pair<std::string, Tensor>> list;
    visit_module(module_, "", [&](const std::string& name, const Tensor& tensor, bool) { list.emplace_back(name, tensor); });
    return list;
  }
  std::shared_ptr<torch::jit::Graph> computation(const Shape&, c10::IValue& self) override {
    self = module_._ivalue();
    return torch::jit::toGraphFunction(module_.get_method("forward").function()).graph();
  }

 private:
  /// libtorch says the stack of TorchScript first and the fault last.
  [[noreturn]] static void fail(std::string text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    const bool memory = text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
    throw Error(memory ? ErrorKind::memory : ErrorKind::shape, text.substr(text.rfind('\n') + 1));
  }

  torch::jit::Module module_;
  torch::Device device_;
  bool training_ = false;
  std::size_t inputs_ = 0;
  std::vector<std::string> keys_;
};

Value jit_load(const CallArgs& call) {
  const Args args = vesal::bind("torch.jit.load", {required("f", "file"), optional("map_location", nullptr, "where to")}, call);
  const Value& where = args["map_location"];
  const auto device = where.object<Device>();
  return load_torchscript(args.get<std::string>("f"), where.is_none() ? "cpu" : device ? device->str() : where.as_string());
}

const AllowFunctions allowed_load{{"torch.jit.load", jit_load}};

}  // namespace

NetworkPtr load_torchscript(const std::filesystem::path& path, const std::string& device) {
  if (const auto format = bundle::checkpoint_format(path); format != bundle::CheckpointFormat::torchscript)
    throw Error(ErrorKind::unsupported, "reading " + path.string() + ": no TorchScript archive (it is: " + std::string(name_of(format)) + ")");
  bundle::check_torchscript_code(path);
  const torch::Device where = torch_device(device);
  use_thread_count();
  torch::jit::setPrintHandler([](const std::string& text) { log::info("{}", text.substr(0, text.find('\n'))); });
  return with_context(
      "reading " + path.string(),
      [&]() -> NetworkPtr {
        try {
          torch::jit::Module module = torch::jit::load(path.string(), where);
          if (!module.find_method("forward")) throw Error(ErrorKind::unsupported, "a TorchScript archive without a forward()");
          // On a CPU half floats have few operators, and libtorch's bf16 convolutions end the program on some machines.
          if (where.is_cpu())
            visit_module(module, "", [](const std::string&, const Tensor& tensor, bool) {
              if (tensor.is_floating_point() && tensor.element_size() == 2) tensor.set_data(tensor.to(torch::kFloat));
            });
          return std::make_shared<ScriptNetwork>(std::move(module), where);
        } catch (const c10::Error& e) {
          const std::string text = e.what_without_backtrace();
          throw Error(ErrorKind::format, "libtorch cannot load the archive: " + text.substr(0, text.find('\n')));
        }
      },
      ErrorKind::format);
}

}  // namespace vesal::nn
