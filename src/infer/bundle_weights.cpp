#include "infer/bundle_weights.h"

#include "base/log.h"
#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "bundle/state.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;

/// Ids of the CheckpointLoaders in a config as written.
void find_loaders(const Value& config, const std::string& id, std::vector<std::string>& found) {
  const auto child = [&](const std::string& key, const Value& value) { find_loaders(value, id.empty() ? key : id + "::" + key, found); };
  if (config.is_list()) {
    for (std::size_t i = 0; i < config.items().size(); ++i) child(std::to_string(i), config.items()[i]);
  } else if (config.is_dict()) {
    const Value* target = config.as_dict().find("_target_");
    if (target && target->is_string() && target->as_string().ends_with("CheckpointLoader")) found.push_back(id);
    for (const auto& [key, value] : config.as_dict()) child(key.str(), value);
  }
}

/// The entry of a loader's load_dict that names the network.
std::string network_key(const bundle::ConfigParser& config, const std::string& loader) {
  const Value targets = config.get(loader + "::load_dict", Value());
  if (!targets.is_dict() || targets.as_dict().empty()) return "";
  for (const auto& [key, value] : targets.as_dict())
    if (value.is_string() && value.as_string().find("network") != std::string::npos) return key.str();
  return targets.as_dict().begin()->first.str();
}

}  // namespace

WeightsPlace find_weights(bundle::ConfigParser& config, const fs::path& folder) {
  std::vector<std::string> loaders;
  find_loaders(config.get(), "", loaders);
  std::string looked;
  std::error_code ignored;
  for (const std::string& loader : loaders) {
    const Value path = config.get_parsed_content(loader + "::load_path");
    if (!path.is_string()) continue;
    for (const fs::path& file : {fs::path(path.as_string()), folder / path.as_string()})
      if (fs::is_regular_file(file, ignored)) return {file, network_key(config, loader)};
    looked = path.as_string();
  }
  for (const char* name : {"model.pt", "model.safetensors", "model.ts"}) {
    const fs::path file = folder / "models" / name;
    if (file == fs::path(looked)) continue;
    if (!fs::is_regular_file(file, ignored)) continue;
    if (!looked.empty()) log::info("{} is not there: using {}", looked, file.string());
    return {file, ""};
  }
  throw Error(ErrorKind::not_found, folder.string() + " has no weights: neither " + (looked.empty() ? "" : looked + ", ") +
                                        "models/model.pt, models/model.safetensors nor models/model.ts");
}

Value load_network(const WeightsPlace& place, const std::function<Value()>& make_network) {
  const std::string context = "loading weights " + place.file.string();
  if (with_context(context, [&] { return bundle::is_torchscript(place.file); })) {
    const Value* load = allowed::find("torch.jit.load");
    if (!load) throw Error(ErrorKind::unsupported, place.file.string() + ": this build runs no TorchScript");
    return with_context(context, [&] { return call_value(*load, {{Value(place.file.string())}, {}}); });
  }
  const Value network = make_network();
  const auto stateful = std::dynamic_pointer_cast<bundle::Stateful>(network.is_object() ? network.as_object() : nullptr);
  if (!stateful) throw Error(ErrorKind::config, "the network is " + network.type_name() + ", which takes no weights");
  with_context(context, [&] { stateful->load_state_dict(bundle::read_state_dict(place.file, place.key), true); });
  return network;
}

}  // namespace vesal::infer
