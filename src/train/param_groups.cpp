// monai.optimizers.generate_param_groups: parameters of a network in groups with learning rates of their own.
#include <set>

#include "bundle/allow.h"
#include "nn/network.h"

namespace vesal::train {
namespace {

std::vector<Value> listed(const Value& v) { return v.is_sequence() ? v.items() : std::vector<Value>{v}; }

/// One for each, or one for all of them.
std::vector<Value> repeated(const Value& v, std::size_t n, const char* name) {
  std::vector<Value> values = listed(v);
  if (!v.is_sequence()) values.resize(n, v);
  if (values.size() != n)
    throw Error(ErrorKind::config,
                std::string(name) + " has " + std::to_string(values.size()) + " entries for " + std::to_string(n) + " layer_matches");
  return values;
}

/// The parameters a match finds, by their place in `named`.
std::set<std::size_t> found_by(const Value& match, const std::string& type, const std::vector<std::pair<std::string, nn::Tensor>>& named,
                               const nn::NetworkPtr& network) {
  std::set<std::size_t> found;
  if (type == "filter") {
    for (std::size_t i = 0; i < named.size(); ++i)
      if (call_value(match, {{Value(Tuple{{Value(named[i].first), nn::to_value(named[i].second)}})}, {}}).truthy()) found.insert(i);
  } else if (type == "select") {
    const Value part = call_value(match, {{Value(network)}, {}});
    const auto parameters = part.is_object() ? part.as_object()->attribute("parameters") : std::nullopt;
    if (!parameters) throw Error(ErrorKind::config, "a match of type select must give a network, got " + part.type_name());
    const Value tensors = call_value(*parameters, {});
    for (const Value& v : tensors.items())
      for (std::size_t i = 0; i < named.size(); ++i)
        if (named[i].second.is_same(nn::tensor_of(v))) found.insert(i);
  } else {
    throw Error(ErrorKind::config, "match type '" + type + "': want filter or select");
  }
  return found;
}

Value generate_param_groups(const Args& args) {
  const auto network = args.get<nn::NetworkPtr>("network");
  if (!network) throw Error(ErrorKind::config, "generate_param_groups wants a network");
  const auto named = network->named_parameters();
  const std::vector<Value> matches = listed(args["layer_matches"]);
  const auto types = repeated(args["match_types"], matches.size(), "match_types"), rates = repeated(args["lr_values"], matches.size(), "lr_values");
  const auto tensors = [&](const std::set<std::size_t>& places) {
    List list;
    for (const std::size_t i : places) list.items.push_back(nn::to_value(named[i].second));
    return list;
  };
  List groups;
  std::set<std::size_t> taken;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const auto found = found_by(matches[k], types[k].as_string(), named, network);
    groups.items.push_back(Dict{{"params", tensors(found)}, {"lr", rates[k].as_float()}});
    taken.insert(found.begin(), found.end());
  }
  if (!args.get<bool>("include_others")) return groups;
  std::set<std::size_t> others;
  for (std::size_t i = 0; i < named.size(); ++i)
    if (!taken.contains(i)) others.insert(i);
  groups.items.push_back(Dict{{"params", tensors(others)}});
  return groups;
}

const bundle::AllowBound groups({"monai.optimizers.generate_param_groups", "monai.optimizers.utils.generate_param_groups"},
                                {required("network", "the network"), required("layer_matches", "callables, one for each group"),
                                 required("match_types", "filter: callable (name, parameter) -> bool; select: callable network -> network"),
                                 required("lr_values", "learning rate of each group"),
                                 optional("include_others", true, "a last group of all other parameters, at the optimizer's own rate")},
                                generate_param_groups);

}  // namespace
}  // namespace vesal::train
