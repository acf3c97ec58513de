#include "bundle/bundle_folder.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "base/registry.h"
#include "base/text.h"
#include "bundle/config.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;

std::string text_of(const Value& metadata, const char* key) {
  const Value* found = metadata.is_dict() ? metadata.as_dict().find(key) : nullptr;
  return found && found->is_string() ? found->as_string() : "";
}

/// network_data_format.SIDE.NAME.KEY, or nullptr.
const Value* format_of(const Value& metadata, const char* side, const char* name, const char* key) {
  const Value* at = &metadata;
  for (const char* step : {"network_data_format", side, name, key}) {
    at = at->is_dict() ? at->as_dict().find(step) : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

std::map<std::int64_t, std::string> channels_of(const Value& metadata, const char* side, const char* name) {
  const Value* definition = format_of(metadata, side, name, "channel_def");
  std::map<std::int64_t, std::string> channels;
  if (!definition || !definition->is_dict()) return channels;
  for (const auto& [key, value] : definition->as_dict()) {
    const std::string digits = key.str();
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    channels[std::stoll(digits)] = value.str();
  }
  return channels;
}

constexpr std::array<const char*, 3> kEndings{".json", ".yaml", ".yml"};

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Where tune::default_registry() says; empty if nothing does.
fs::path model_registry() {
  if (const std::string own = env("VESAL_REGISTRY"); !own.empty()) return own;
  if (const std::string data = env("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "vesal/registry";
  if (const std::string home = env("HOME"); !home.empty()) return fs::path(home) / ".local/share/vesal/registry";
  return {};
}

/// The bundle that MODEL@champion or MODEL@VERSION stands for; empty if the name is none of these.
fs::path registered_bundle(const std::string& name) {
  const auto sign = name.find('@');
  if (sign == std::string::npos || sign == 0 || name.find('/') != std::string::npos || model_registry().empty()) return {};
  const std::string model = name.substr(0, sign), version = name.substr(sign + 1);
  const fs::path folder = model_registry() / model;
  return version == "champion" ? folder / "champion" : folder / "versions" / version;
}

}  // namespace

bool BundleFacts::not_for_diagnosis() const {
  const std::string text = lower(intended_use);
  return text.find("demonstration") != std::string::npos || (text.find("not ") != std::string::npos && text.find("diagnos") != std::string::npos);
}

bool BundleFacts::has_background() const {
  const auto first = output_channels.find(0);
  return first != output_channels.end() && lower(first->second).find("background") != std::string::npos;
}

BundleFacts read_bundle_facts(const fs::path& folder) {
  BundleFacts facts;
  facts.folder = folder;
  facts.metadata = ConfigParser::load_config_file(config_file(folder, "metadata"));
  facts.name = text_of(facts.metadata, "name");
  if (facts.name.empty()) facts.name = fs::weakly_canonical(folder).filename().string();
  facts.version = text_of(facts.metadata, "version");
  facts.task = text_of(facts.metadata, "task");
  facts.description = text_of(facts.metadata, "description");
  facts.intended_use = text_of(facts.metadata, "intended_use");
  facts.input_channels = channels_of(facts.metadata, "inputs", "image");
  facts.output_channels = channels_of(facts.metadata, "outputs", "pred");
  if (const Value* extents = format_of(facts.metadata, "inputs", "image", "spatial_shape"); extents && extents->is_sequence())
    facts.spatial_axes = static_cast<int>(extents->items().size());
  return facts;
}

bool is_bundle(const fs::path& folder) {
  std::error_code ignored;
  for (const char* name : {"metadata", "inference"})
    for (const char* ending : kEndings)
      if (fs::is_regular_file(folder / "configs" / (std::string(name) + ending), ignored)) return true;
  return false;
}

fs::path config_file(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  std::string there;
  for (const char* ending : kEndings)
    if (const fs::path file = folder / "configs" / (name + ending); fs::is_regular_file(file, ignored)) return file;
  for (const auto& entry : fs::directory_iterator(folder / "configs", ignored))
    there += (there.empty() ? "" : ", ") + entry.path().filename().string();
  throw Error(ErrorKind::not_found,
              folder.string() + " has no configs/" + name + ".json or .yaml" + (there.empty() ? "" : " (there is " + there + ")"));
}

std::vector<fs::path> bundle_roots() {
  std::vector<fs::path> roots;
  std::istringstream own(env("VESAL_BUNDLES"));
  for (std::string folder; std::getline(own, folder, ':');)
    if (!folder.empty()) roots.emplace_back(folder);
  if (const std::string data = env("XDG_DATA_HOME"); !data.empty()) roots.push_back(fs::path(data) / "vesal/bundles");
  else if (const std::string home = env("HOME"); !home.empty()) roots.push_back(fs::path(home) / ".local/share/vesal/bundles");
  std::error_code ec;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", ec); !ec)
    for (const char* place : {"bundles", "../share/vesal/bundles", "../../bundles"})
      roots.push_back((program.parent_path() / place).lexically_normal());
  return roots;
}

std::map<std::string, fs::path> list_bundles(const std::vector<fs::path>& roots) {
  std::map<std::string, fs::path> bundles;
  std::error_code ec;
  for (const fs::path& root : roots)
    for (const auto& entry : fs::directory_iterator(root, ec))
      if (is_bundle(entry.path())) bundles.emplace(entry.path().filename().string(), entry.path());
  return bundles;
}

fs::path find_bundle(const std::string& name_or_folder, const std::vector<fs::path>& roots) {
  if (is_bundle(name_or_folder)) return name_or_folder;
  std::error_code ignored;
  if (const fs::path registered = registered_bundle(name_or_folder); !registered.empty()) {
    if (is_bundle(registered)) return fs::weakly_canonical(registered);
    throw Error(ErrorKind::not_found,
                "no such model or version in the registry: " + registered.string() + "; `vesal registry list` tells those there are");
  }
  if (fs::is_directory(name_or_folder, ignored))
    throw Error(ErrorKind::not_found, name_or_folder + " is no bundle: it has neither configs/metadata.json nor configs/inference.json");
  const auto bundles = list_bundles(roots);
  if (const auto found = bundles.find(name_or_folder); found != bundles.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, folder] : bundles) names.push_back(name);
  throw Error(ErrorKind::not_found, "no bundle '" + name_or_folder + "'" + suggestion(name_or_folder, names) +
                                        "; give a folder, or put it into one of $VESAL_BUNDLES or ~/.local/share/vesal/bundles");
}

}  // namespace vesal::bundle
