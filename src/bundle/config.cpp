#include "bundle/config.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/expr_eval.h"
#include "bundle/resolver.h"
#include "bundle/yaml.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;
const char* const kMeta = "_meta_";

/// Where an id is to be stored: the parent container and the last key. `make` creates missing dicts on the way.
void store(Value& config, const std::string& id, Value value, bool make) {
  std::vector<std::string> keys = split_id(id);
  Value* at = &config;
  std::string so_far;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    so_far += (i ? "::" : "") + keys[i];
    const Value* next = navigate(*at, keys[i]);
    if (!next && make && at->is_dict()) next = &(at->mutable_dict()[keys[i]] = Dict{});
    if (!next) throw Error(ErrorKind::not_found, "no id '" + so_far + "' in the config, needed to set '" + id + "'");
    at = const_cast<Value*>(next);
  }
  if (at->is_dict()) {
    at->mutable_dict()[keys.back()] = std::move(value);
  } else if (at->is_list()) {
    const Value* slot = navigate(*at, keys.back());
    if (!slot) throw Error(ErrorKind::not_found, "'" + id + "': the list has no item " + keys.back());
    *const_cast<Value*>(slot) = std::move(value);
  } else {
    throw Error(ErrorKind::config, "'" + id + "' cannot be set: what is above is " + at->type_name());
  }
}

/// "+id" extends a list or dict, any other key replaces.
void merge(Value& config, const std::string& key, const Value& value) {
  if (!key.starts_with('+')) return store(config, normalize_id(key), value, false);
  const std::string id = normalize_id(key.substr(1));
  const Value* present = navigate(config, id);
  if (!present) {
    log::warning("nothing to merge '{}' into; it is taken as it is", key);
    return store(config, id, value, false);
  }
  if (present->is_dict() && value.is_dict()) {
    for (const auto& [k, v] : value.as_dict()) Value(*present).mutable_dict()[k] = v;
  } else if (present->is_list() && value.is_list()) {
    auto& items = Value(*present).mutable_items();
    items.insert(items.end(), value.items().begin(), value.items().end());
  } else {
    throw Error(ErrorKind::config, "'" + key + "' wants to merge a " + value.type_name() + " into a " + present->type_name());
  }
}

/// The old name of a metadata field.
Value renamed(Value config) {
  if (!config.is_dict()) return config;
  Dict& dict = config.mutable_dict();
  if (const Value* old = dict.find("optional_packages_version")) {
    const Value kept = *old;
    dict.erase("optional_packages_version");
    dict["required_packages_version"] = kept;
  }
  return config;
}

}  // namespace

std::string normalize_id(std::string id) {
  for (std::size_t at = 0; (at = id.find('#', at)) != std::string::npos; at += 2) id.replace(at, 1, "::");
  return id;
}

std::vector<std::string> split_id(const std::string& id) {
  const std::string s = normalize_id(id);
  std::vector<std::string> keys;
  std::size_t begin = 0;
  for (std::size_t at; (at = s.find("::", begin)) != std::string::npos; begin = at + 2) keys.push_back(s.substr(begin, at - begin));
  keys.push_back(s.substr(begin));
  return keys;
}

ConfigParser::ConfigParser() : config_(Dict{{kMeta, Dict{}}}) {}
ConfigParser::ConfigParser(Value config) : config_(renamed(deep_copy(config))) {}
ConfigParser::~ConfigParser() = default;
ConfigParser::ConfigParser(ConfigParser&& other) noexcept
    : config_(std::move(other.config_)), files_(std::move(other.files_)), folder_(std::move(other.folder_)) {}
ConfigParser& ConfigParser::operator=(ConfigParser&& other) noexcept {
  config_ = std::move(other.config_);
  files_ = std::move(other.files_);
  folder_ = std::move(other.folder_);
  resolver_.reset();
  other.resolver_.reset();
  return *this;
}

Value ConfigParser::load_config_file(const fs::path& file) {
  const std::string extension = lower(file.extension().string());
  const bool json = extension == ".json";
  if (!json && extension != ".yaml" && extension != ".yml")
    throw Error(ErrorKind::config, file.string() + ": a config file ends with .json, .yaml or .yml");
  const std::string text = read_text(file);
  return with_context(file.string(), [&] { return json ? parse_json(text) : parse_yaml(text); });
}

void ConfigParser::read_config(const std::vector<fs::path>& files) {
  Value content = Dict{};
  std::map<std::string, fs::path> origin;
  for (const fs::path& file : files) {
    const Value part = load_config_file(file);
    with_context(file.string(), [&] {
      if (!part.is_dict()) throw Error(ErrorKind::config, "a config is a mapping, not a " + part.type_name());
      for (const auto& [key, value] : part.as_dict()) {
        merge(content, key.str(), value);
        std::string top = split_id(key.str())[0];
        if (top.starts_with('+')) top.erase(0, 1);
        origin[top] = file;
      }
    });
  }
  if (!content.as_dict().contains(kMeta)) {
    const Value* meta = navigate(config_, kMeta);
    content.mutable_dict()[kMeta] = meta ? *meta : Value(Dict{});
  }
  config_ = renamed(std::move(content));
  files_ = std::move(origin);
  if (!files.empty()) folder_ = files[0].parent_path();
  reset();
}

void ConfigParser::read_meta(const std::vector<fs::path>& files) {
  Value content = Dict{};
  for (const fs::path& file : files) {
    const Value part = load_config_file(file);
    with_context(file.string(), [&] {
      if (!part.is_dict()) throw Error(ErrorKind::config, "metadata is a mapping, not a " + part.type_name());
      for (const auto& [key, value] : part.as_dict()) merge(content, key.str(), value);
    });
    files_[kMeta] = file;
  }
  config_.mutable_dict()[kMeta] = renamed(std::move(content));
  reset();
}

Value ConfigParser::get(const std::string& id) const {
  if (const Value* v = navigate(config_, id)) return *v;
  throw Error(ErrorKind::not_found, "no id '" + id + "' in the config");
}

Value ConfigParser::get(const std::string& id, const Value& fallback) const {
  const Value* v = navigate(config_, id);
  return v ? *v : fallback;
}

bool ConfigParser::contains(const std::string& id) const { return navigate(config_, id) != nullptr; }

void ConfigParser::set(const std::string& id, Value config) {
  if (id.empty()) config_ = renamed(std::move(config));
  else store(config_, normalize_id(id), renamed(std::move(config)), true);
  reset();
}

void ConfigParser::override_with(const std::string& id, const std::string& text) {
  const auto value = expr::literal(text);
  update(id, value ? *value : Value(text));
}

void ConfigParser::update(const std::string& id, const Value& value) {
  merge(config_, id, deep_copy(value));
  files_[split_id(id.starts_with('+') ? id.substr(1) : id)[0]] = "";
  reset();
}

Value ConfigParser::get_parsed_content(const std::string& id, const ParseOptions& options) {
  if (!options.lazy) reset();
  if (!resolver_)
    resolver_ = with_context(file_of("").string().empty() ? "config" : file_of("").string(), [&] { return std::make_unique<Resolver>(*this); });
  const std::string normal = normalize_id(id);
  if (options.fallback && !resolver_->contains(normal)) return *options.fallback;
  return resolver_->value_of(normal, options);
}

std::vector<Value> ConfigParser::run_expressions(const std::string& id) {
  std::vector<Value> results;
  if (!contains(id)) return results;
  auto run = [&](const std::string& one) {
    results.push_back(get_parsed_content(one));
    resolver_->forget(normalize_id(one));
  };
  const Value list = get(id);
  if (!list.is_list()) run(id);
  else
    for (std::size_t i = 0; i < list.items().size(); ++i) run(id + "::" + std::to_string(i));
  return results;
}

void ConfigParser::reset() { resolver_.reset(); }

void ConfigParser::set_folder(fs::path folder) {
  folder_ = std::move(folder);
  reset();
}

fs::path ConfigParser::file_of(const std::string& id) const {
  const auto it = files_.find(split_id(id)[0]);
  if (it != files_.end()) return it->second;
  for (const auto& [key, file] : files_)
    if (id.empty() && !file.empty() && key != kMeta) return file;
  return {};
}

Error ConfigParser::wrong_type(const std::string& id, const Value& value) const {
  const fs::path file = file_of(id);
  return Error(ErrorKind::config, (file.empty() ? "" : file.string() + ": ") + "'" + id + "' is a " + value.type_name() + ", which does not do here");
}

}  // namespace vesal::bundle
