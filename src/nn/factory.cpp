#include "nn/factory.h"

#include <algorithm>
#include <cctype>

namespace vesal::nn {
namespace {

std::string upper(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return s;
}

}  // namespace

void LayerFactory::add(const std::string& name, Entry entry) { entries_[upper(name)] = std::move(entry); }

LayerPtr LayerFactory::make(const Value& spec, const LayerPlace& place) const {
  std::string name;
  CallArgs args;
  if (spec.is_string()) {
    name = spec.as_string();
  } else if (spec.is_sequence() && spec.items().size() == 2 && spec.items()[0].is_string() && spec.items()[1].is_dict()) {
    name = spec.items()[0].as_string();
    for (const auto& [key, value] : spec.items()[1].as_dict()) args.named.emplace_back(key.as_string(), value);
  } else {
    throw Error(ErrorKind::config, what_ + ": a name or a pair of a name and a dict of arguments wanted, got " + spec.repr());
  }
  if (name.empty()) return std::make_shared<Identity>();
  const auto found = entries_.find(upper(name));
  if (found == entries_.end()) {
    std::string known;
    for (const auto& [key, entry] : entries_) known += (known.empty() ? "" : ", ") + key;
    throw Error(ErrorKind::config, "no " + what_ + " '" + name + "'; there are " + known);
  }
  return found->second.make(vesal::bind(what_ + " " + name, found->second.params, args), place);
}

LayerFactory& activations() {
  static LayerFactory factory("activation");
  return factory;
}
LayerFactory& normalizations() {
  static LayerFactory factory("normalization");
  return factory;
}
LayerFactory& dropouts() {
  static LayerFactory factory("dropout");
  return factory;
}
LayerFactory& pools() {
  static LayerFactory factory("pooling");
  return factory;
}

RegisterLayer::RegisterLayer(LayerFactory& factory, const std::vector<std::string>& names, std::vector<Param> params,
                             const LayerFactory::Make& make) {
  for (const std::string& name : names) factory.add(name, {params, make});
}

LayerPtr make_activation(const Value& spec) { return activations().make(spec, {}); }

LayerPtr make_dropout(const Value& spec, int dropout_dim) {
  if (!spec.is_number()) return dropouts().make(spec, {dropout_dim, 1});
  return dropouts().make(Tuple{{Value("dropout"), Value(Dict{{"p", spec.as_float()}})}}, {dropout_dim, 1});
}

}  // namespace vesal::nn
