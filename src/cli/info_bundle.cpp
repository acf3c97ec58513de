// What `vesal info` says about a bundle's folder.
#include <fmt/format.h>

#include <algorithm>

#include "bundle/bundle_folder.h"
#include "bundle/config.h"
#include "cli/info.h"
#include "cli/paths.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;
using bundle::BundleFacts;

Dict channels(const std::map<std::int64_t, std::string>& names) {
  Dict out;
  for (const auto& [channel, name] : names) out[std::to_string(channel)] = name;
  return out;
}

/// The "network_def" of the inference configuration as written: its target, or the text that stands there.
std::string network_of(const fs::path& folder) {
  const Value config = bundle::ConfigParser::load_config_file(bundle::config_file(folder, "inference"));
  const Value* network = config.is_dict() ? config.as_dict().find("network_def") : nullptr;
  if (!network && config.is_dict()) network = config.as_dict().find("network");
  if (!network) return "";
  const Value* target = network->is_dict() ? network->as_dict().find("_target_") : nullptr;
  return target ? target->str() : network->is_string() ? network->as_string() : "";
}

std::string first_there(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (is_file(folder / name)) return name;
  return "";
}

Dict describe(const fs::path& folder) {
  List missing, files;
  BundleFacts facts;
  facts.folder = folder;
  try {
    facts = bundle::read_bundle_facts(folder);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;
    missing.items.emplace_back("configs/metadata.json");
  }
  std::string network;
  try {
    network = network_of(folder);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;
    missing.items.emplace_back("configs/inference.json");
  }
  const std::string weights = first_there(folder, {"models/model.pt", "models/model.safetensors", "models/model.ts"});
  const std::string licence = first_there(folder, {"LICENSE", "LICENSE.txt", "LICENSE.md", "docs/LICENSE"});
  if (weights.empty()) missing.items.emplace_back("weights (models/model.pt, .safetensors or .ts)");
  if (licence.empty()) missing.items.emplace_back("LICENSE");
  std::error_code ec;
  std::vector<std::string> configs;
  for (const auto& entry : fs::directory_iterator(folder / "configs", ec)) configs.push_back(entry.path().filename().string());
  std::sort(configs.begin(), configs.end());
  for (const std::string& name : configs) files.items.emplace_back(name);
  const auto text = [](const std::string& s) { return s.empty() ? Value() : Value(s); };
  return Dict{{"kind", "bundle"},
              {"folder", folder.string()},
              {"name", text(facts.name)},
              {"version", text(facts.version)},
              {"task", text(facts.task)},
              {"description", text(facts.description)},
              {"intended_use", text(facts.intended_use)},
              {"not_for_diagnosis", facts.not_for_diagnosis()},
              {"network", text(network)},
              {"inputs", channels(facts.input_channels)},
              {"outputs", channels(facts.output_channels)},
              {"configs", files},
              {"weights", text(weights)},
              {"licence", text(licence)},
              {"missing", missing}};
}

std::string print(const Dict& facts) {
  std::string text;
  for (const auto& [key, value] : facts) {
    if (value.is_none() || key == Value("not_for_diagnosis") || key == Value("kind")) continue;
    std::string shown;
    if (value.is_list()) {
      for (const Value& v : value.items()) shown += (shown.empty() ? "" : ", ") + v.str();
    } else if (value.is_dict()) {
      for (const auto& [channel, name] : value.as_dict()) shown += (shown.empty() ? "" : ", ") + channel.str() + " " + name.str();
    } else {
      shown = value.str();
    }
    if (!shown.empty())
      text += fmt::format("{:<14}{}\n", key == Value("folder") ? "bundle" : key == Value("intended_use") ? "intended use" : key.str(), shown);
  }
  return text;
}

const RegisterDescriber registered({.kind = "bundle", .priority = 30, .matches = bundle::is_bundle, .describe = describe, .print = print});

}  // namespace
}  // namespace vesal::cli
