// The methods of a network that configurations call.
#include <torch/utils.h>

#include "base/device.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

using Method = Value (*)(Network&, const CallArgs&);
Value self(Network& network) { return network.shared_from_this(); }

Value to(Network& network, const CallArgs& call) {
  const Args args = vesal::bind("to", {required("device", "where to")}, call);
  const Value& where = args["device"];
  if (where.is_dtype()) {
    if (where.as_dtype() != DType::f32) throw Error(ErrorKind::unsupported, "networks compute in float32, not " + where.repr());
    return self(network);
  }
  const auto device = where.object<Device>();
  network.to(torch_device(device ? device->str() : where.as_string()));
  return self(network);
}

Value cuda(Network& network, const CallArgs& call) {
  const Args args = vesal::bind("cuda", {optional("device", 0, "index")}, call);
  network.to(torch_device("cuda:" + std::to_string(args.get<int>("device"))));
  return self(network);
}

Value train(Network& network, const CallArgs& call) {
  network.train(vesal::bind("train", {optional("mode", true, "training or evaluation")}, call).get<bool>("mode"));
  return self(network);
}

Value parameters(Network& network, const CallArgs&) {
  List list;
  for (const Tensor& tensor : network.parameters()) list.items.push_back(to_value(tensor));
  return list;
}

Value named_parameters(Network& network, const CallArgs&) {
  List list;
  for (const auto& [name, tensor] : network.named_parameters()) list.items.push_back(Tuple{{Value(name), to_value(tensor)}});
  return list;
}

Value state_dict(Network& network, const CallArgs&) {
  Dict dict;
  for (const auto& [name, array] : network.state_dict()) dict[name] = array;
  return dict;
}

Value load_state_dict(Network& network, const CallArgs& call) {
  const Args args =
      vesal::bind("load_state_dict", {required("state_dict", "a dict of arrays"), optional("strict", true, "all names must fit")}, call);
  const Value& source = args["state_dict"];
  bundle::StateDict state;
  for (const auto& [name, array] : source.as_dict()) state.emplace_back(name.as_string(), to_array(tensor_of(array)));
  const bundle::LoadReport report = network.load_state_dict(state, args.get<bool>("strict"));
  const auto list = [](const std::vector<std::string>& names) {
    List values;
    for (const std::string& name : names) values.items.emplace_back(name);
    return Value(std::move(values));
  };
  return Tuple{{list(report.missing), list(report.unexpected)}};
}

const std::pair<std::string_view, Method> kMethods[] = {
    {"to", to},
    {"cuda", cuda},
    {"cpu", [](Network& network, const CallArgs&) { return network.to(torch::kCPU), self(network); }},
    {"float", [](Network& network, const CallArgs&) { return self(network); }},
    {"train", train},
    {"eval", [](Network& network, const CallArgs&) { return network.eval(), self(network); }},
    {"parameters", parameters},
    {"named_parameters", named_parameters},
    {"state_dict", state_dict},
    {"load_state_dict", load_state_dict},
};

}  // namespace

std::optional<Value> Network::attribute(std::string_view name) {
  if (name == "training") return Value(training());
  for (const auto& [known, method] : kMethods)
    if (known == name)
      return make_function(std::string(name), [keep = std::static_pointer_cast<Network>(shared_from_this()), method = method](const CallArgs& args) {
        return method(*keep, args);
      });
  return std::nullopt;
}

}  // namespace vesal::nn
