// Networks written as TorchScript: a trial run is traced, the parameters keep their names.
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/script.h>

#include <limits>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "bundle/network_writer.h"
#include "nn/torchscript.h"
#include "nn/without_gradients.h"

namespace vesal::nn {
namespace {

namespace jit = torch::jit;

/// A tree of modules without code that holds the network's tensors under their names.
jit::Module skeleton(const Network& network) {
  auto unit = std::make_shared<jit::CompilationUnit>();
  const auto fresh = [&] { return jit::Module(c10::QualifiedName("__torch__.vesal.Layer"), unit, true); };
  struct Node {
    std::vector<std::string> order;
    std::map<std::string, std::unique_ptr<Node>> children;
    std::vector<std::pair<std::string, Tensor>> tensors;
  } root;
  for (const auto& [name, tensor] : network.named_state()) {
    Node* node = &root;
    std::size_t begin = 0;
    for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
      auto& child = node->children[name.substr(begin, dot - begin)];
      if (!child) {
        child = std::make_unique<Node>();
        node->order.push_back(name.substr(begin, dot - begin));
      }
      node = child.get();
    }
    node->tensors.emplace_back(name.substr(begin), tensor);
  }
  std::set<const void*> parameters;
  for (const Tensor& tensor : network.parameters()) parameters.insert(tensor.unsafeGetTensorImpl());
  const std::function<jit::Module(const Node&)> build = [&](const Node& node) {
    jit::Module module = fresh();
    module.register_attribute("training", c10::BoolType::get(), false);
    for (const auto& [name, tensor] : node.tensors)
      if (parameters.count(tensor.unsafeGetTensorImpl())) module.register_parameter(name, tensor, false);
      else module.register_buffer(name, tensor);
    for (const std::string& name : node.order) module.register_module(name, build(*node.children.at(name)));
    return module;
  };
  return build(root);
}

jit::Module trace(Network& network, const Tensor& input) {
  jit::Module module = skeleton(network);
  const auto run = [&](jit::Stack inputs) -> jit::Stack {
    Tensors tensors;
    for (const c10::IValue& value : inputs) tensors.push_back(value.toTensor());
    const Tensors outputs = network.forward(tensors);
    if (outputs.size() == 1) return {outputs[0]};
    std::vector<c10::IValue> items(outputs.begin(), outputs.end());
    return {c10::ivalue::Tuple::create(std::move(items))};
  };
  const auto name_of = [](const torch::autograd::Variable&) { return std::string(); };
  const auto traced = jit::tracer::trace({input}, run, name_of, true, false, &module, {"x"});
  jit::Function* forward =
      module._ivalue()->compilation_unit()->create_function(c10::QualifiedName(*module.type()->name(), "forward"), traced.first->graph);
  module.type()->addMethod(forward);
  return module;
}

double largest_difference(const std::vector<Array>& a, const std::vector<Array>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i >= a.size() || i >= b.size() || a[i].shape() != b[i].shape()) return std::numeric_limits<double>::infinity();
    const Tensor x = to_tensor(a[i]), y = to_tensor(b[i]);
    largest = std::max(largest, ((x - y).abs().max() / x.abs().max().clamp_min(1e-6)).item<double>());
  }
  return largest;
}

Array trial_input(const Shape& shape) { return to_array(torch::rand(shape)); }

/// The written network must compute what the first one does, also on an input of other extents; where only the latter fails, the
/// computation depends on the extents and the archive is good for those it was traced with.
void compare(Network& network, Network& written, const Shape& shape) {
  const Array input = trial_input(shape);
  if (const double d = largest_difference(network.predict({input}), written.predict({input})); !(d < 1e-4))
    throw Error(ErrorKind::internal, "the traced network computes something else (relative difference " + std::to_string(d) + ")");
  Shape other = shape;
  other[0] += 1;
  other[2] = shape[2] >= 64 && shape[2] % 2 == 0 ? shape[2] / 2 : shape[2] * 2;
  const Array second = trial_input(other);
  std::vector<Array> wanted;
  try {
    wanted = network.predict({second});
  } catch (const Error&) { return; }
  bool same = false;
  try {
    same = largest_difference(wanted, written.predict({second})) < 1e-4;
  } catch (const Error&) {}
  if (!same) log::warning("the traced network works for inputs {} only: its computation depends on the extents", to_string(shape));
}

void write(const bundle::NetworkExport& what) {
  const auto network = what.network.object<Network>();
  if (!network) throw Error(ErrorKind::config, what.network.type_name() + " is no network to trace");
  if (what.input_shape.size() < 3)
    throw Error(ErrorKind::usage,
                "a .ts file is made by a trial run: an input shape [N, C, spatial...] is needed, got " + to_string(what.input_shape));
  network->to(torch::kCPU);
  const bool was_training = network->training();
  network->eval();
  AtomicFile file(what.path);
  torch_call([&] {
    const WithoutGradients without(*network);
    const torch::NoGradGuard no_grad;
    use_thread_count();
    const jit::Module module = trace(*network, torch::rand(what.input_shape));
    jit::ExtraFilesMap documents(what.documents.begin(), what.documents.end());
    module.save(file.temporary().string(), documents);
  });
  compare(*network, *load_torchscript(file.temporary()), what.input_shape);
  network->train(was_training);
  file.commit();
}

const bundle::RegisterNetworkWriter registered({.extensions = {".ts"}, .write = write});

}  // namespace
}  // namespace vesal::nn
