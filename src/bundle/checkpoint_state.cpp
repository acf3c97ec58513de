// Where in a checkpoint the weights are.
#include <algorithm>
#include <array>

#include "bundle/checkpoint.h"

namespace vesal::bundle {
namespace {

/// The usual names, the more telling first: MONAI, nnU-Net, Lightning, timm, and generative bundles.
constexpr std::array kWrappers{"state_dict",
                               "model_state_dict",
                               "network_weights",
                               "model",
                               "network",
                               "net",
                               "network_state_dict",
                               "net_state_dict",
                               "model_weights",
                               "weights",
                               "unet_state_dict",
                               "controlnet_state_dict",
                               "autoencoder_state_dict",
                               "module",
                               "student",
                               "ema",
                               "generator",
                               "params"};

bool is_extra(const std::string& name) { return name.ends_with("_extra_state"); }

/// A dict of names to tensors, with nothing else in it.
bool is_state(const Value& v) {
  return v.is_dict() && std::all_of(v.as_dict().begin(), v.as_dict().end(), [](const auto& entry) {
           return entry.first.is_string() && (entry.second.is_array() || is_extra(entry.first.as_string()));
         });
}

std::string keys_of(const Value& v) {
  std::string s;
  std::size_t shown = 0;
  for (const auto& [key, value] : v.as_dict()) {
    if (++shown > 12) return s + ", ... (" + std::to_string(v.as_dict().size()) + " in all)";
    s += (s.empty() ? "" : ", ") + key.str() + " (" + value.type_name() + ")";
  }
  return s.empty() ? "none" : s;
}

StateDict to_state(const Value& v) {
  StateDict state;
  for (const auto& [name, value] : v.as_dict())
    if (value.is_array()) state.emplace_back(name.as_string(), value.as_array());
  for (const std::string prefix : {"module.", "_orig_mod.", "module."}) {
    if (state.empty() || !std::all_of(state.begin(), state.end(), [&](const auto& entry) { return entry.first.starts_with(prefix); })) continue;
    for (auto& [name, array] : state) name.erase(0, prefix.size());
  }
  return state;
}

}  // namespace

Value to_value(const StateDict& state) {
  Dict out;
  for (const auto& [name, array] : state) out[name] = array;
  return out;
}

StateDict find_state_dict(const Value& checkpoint, const std::string& key, std::string* wrapper) {
  if (!checkpoint.is_dict()) throw Error(ErrorKind::weights, "the checkpoint is a " + checkpoint.type_name() + ", a state_dict is wanted");
  if (wrapper) wrapper->clear();
  const auto use = [&](const std::string& name, const Value& v) {
    if (wrapper) *wrapper = name;
    return to_state(v);
  };
  if (!key.empty()) {
    if (const Value* v = checkpoint.as_dict().find(key); v && v->is_dict()) {
      if (is_state(*v)) return use(key, *v);
      throw Error(ErrorKind::weights, "'" + key + "' is no state_dict; it holds: " + keys_of(*v));
    }
    if (is_state(checkpoint) && !checkpoint.as_dict().empty()) return to_state(checkpoint);
    throw Error(ErrorKind::weights, "no state_dict '" + key + "' in the checkpoint; there are: " + keys_of(checkpoint));
  }
  if (is_state(checkpoint) && !checkpoint.as_dict().empty()) return to_state(checkpoint);
  for (const char* name : kWrappers)
    if (const Value* v = checkpoint.as_dict().find(name); v && !(v->is_dict() && v->as_dict().empty()) && is_state(*v)) return use(name, *v);
  const auto fitting = [](const auto& entry) { return entry.first.is_string() && is_state(entry.second) && !entry.second.as_dict().empty(); };
  const Dict& all = checkpoint.as_dict();
  if (std::count_if(all.begin(), all.end(), fitting) == 1) {
    const auto only = std::find_if(all.begin(), all.end(), fitting);
    return use(only->first.as_string(), only->second);
  }
  throw Error(ErrorKind::weights, "no state_dict in the checkpoint; there are: " + keys_of(checkpoint));
}

}  // namespace vesal::bundle
