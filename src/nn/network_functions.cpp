// Functions that configurations call on networks and their weights: monai.networks.utils.
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "base/log.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

/// A pattern as Python's re.search takes it, for names of parameters.
class NamePattern {
 public:
  explicit NamePattern(const Value& pattern) {
    if (pattern.is_none() || pattern.as_string().empty()) return;
    constexpr std::size_t kLongest = 500;
    if (pattern.as_string().size() > kLongest)
      throw Error(ErrorKind::config, "a pattern of " + std::to_string(pattern.as_string().size()) + " letters");
    try {
      regex_.emplace(pattern.as_string());
    } catch (const std::regex_error&) { throw Error(ErrorKind::config, "'" + pattern.as_string() + "' is no pattern for names"); }
  }
  bool given() const { return regex_.has_value(); }
  bool found_in(const std::string& name) const { return regex_ && std::regex_search(name, *regex_); }

 private:
  std::optional<std::regex> regex_;
};

Dict state_of(const Value& source) {
  if (source.is_dict()) return source.as_dict();
  const auto network = source.object<Network>();
  if (!network) throw Error(ErrorKind::config, "a network or a state_dict wanted, got " + source.type_name());
  Dict state;
  for (const auto& [name, array] : network->state_dict()) state[name] = array;
  return state;
}

Value names(const std::set<std::string>& sorted) {
  List list;
  for (const std::string& name : sorted) list.items.emplace_back(name);
  return list;
}

/// MONAI's: a state_dict with the values of `src` where names and shapes agree, the names changed and those left.
Value copy_model_state(const CallArgs& call) {
  const Args args =
      vesal::bind("copy_model_state",
                  {required("dst", "network or state_dict to fill"), required("src", "network or state_dict to take from"),
                   optional("dst_prefix", "", "in front of the names of src"), optional("mapping", nullptr, "names of src to names of dst"),
                   optional("exclude_vars", nullptr, "pattern of names to leave"), optional("inplace", true, "also load it into dst"),
                   optional("filter_func", nullptr, "gives (name, value) or None for each entry of src")},
                  call);
  const Dict source = state_of(args["src"]);
  Dict state = state_of(args["dst"]);
  const std::string prefix = args.get<std::string>("dst_prefix");
  const NamePattern exclude(args["exclude_vars"]);
  std::set<std::string> skipped, updated, unchanged;
  for (const auto& [name, value] : source)
    if (exclude.found_in(name.as_string())) skipped.insert(name.as_string());
  const auto shape = [](const Value& value) { return nn::shape_of(tensor_of(value)); };
  const auto set = [&](const std::string& name, const Value& value) {
    state[name] = value;
    updated.insert(name);
  };
  for (const auto& [name, value] : source) {
    const std::string target = prefix + name.as_string();
    if (const Value* old = state.find(target); old && !skipped.contains(target) && shape(*old) == shape(value)) set(target, value);
  }
  if (!args.is_none("mapping"))
    for (const auto& [from, to] : args["mapping"].as_dict()) {
      const std::string target = prefix + to.as_string();
      if (state.contains(target) && !skipped.contains(target)) set(target, source.at(from));
    }
  if (!args.is_none("filter_func"))
    for (const auto& [name, value] : source) {
      const Value pair = call_value(args["filter_func"], {{name, value}, {}});
      if (!pair.is_none() && !skipped.contains(pair.items().at(0).as_string())) set(pair.items()[0].as_string(), pair.items().at(1));
    }
  for (const auto& [name, value] : state)
    if (!updated.contains(name.as_string())) unchanged.insert(name.as_string());
  log::info("copy_model_state: {} of {} tensors updated", updated.size(), state.size());
  if (const auto network = args["dst"].object<Network>(); network && args.get<bool>("inplace"))
    call_value(*network->attribute("load_state_dict"), {{Value(state)}, {}});
  return Tuple{{Value(state), names(updated), names(unchanged)}};
}

/// MONAI's: the parameters that match `freeze_vars`, or all that do not match `exclude_vars`, learn no more; the others do.
Value freeze_layers(const CallArgs& call) {
  const Args args = vesal::bind("freeze_layers",
                                {required("model", "network"), optional("freeze_vars", nullptr, "pattern of names to freeze"),
                                 optional("exclude_vars", nullptr, "pattern of names to leave learning")},
                                call);
  const NamePattern freeze(args["freeze_vars"]), exclude(args["exclude_vars"]);
  if (freeze.given() && exclude.given()) throw Error(ErrorKind::config, "freeze_vars and exclude_vars exclude each other");
  std::size_t frozen = 0;
  for (const auto& [name, tensor] : args.get<NetworkPtr>("model")->named_parameters()) {
    if (freeze.given()) tensor.set_requires_grad(!freeze.found_in(name));
    else if (exclude.given()) tensor.set_requires_grad(exclude.found_in(name));
    frozen += !tensor.requires_grad();
  }
  log::info("freeze_layers: {} parameters are frozen", frozen);
  return {};
}

const AllowFunctions functions{
    {"monai.networks.utils.copy_model_state", copy_model_state},
    {"monai.networks.copy_model_state", copy_model_state},
    {"monai.networks.utils.freeze_layers", freeze_layers},
};

}  // namespace
}  // namespace vesal::nn
