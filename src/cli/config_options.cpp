#include "cli/config_options.h"

#include <algorithm>

#include "bundle/expr_eval.h"
#include "cli/paths.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

/// One name, names with commas between them, or a Python list of names.
std::vector<std::string> split_files(const Value& given) {
  std::vector<std::string> files;
  if (given.is_sequence()) {
    for (const Value& item : given.items()) files.push_back(item.as_string());
    return files;
  }
  const std::string text = given.as_string();
  if (!is_file(text) && (text.starts_with('[') || text.starts_with('(')))
    if (const auto list = bundle::expr::literal(text); list && list->is_sequence()) return split_files(*list);
  if (is_file(text) || text.find(',') == std::string::npos) return {text};
  for (std::size_t begin = 0, comma = 0; comma != std::string::npos; begin = comma + 1) {
    comma = text.find(',', begin);
    files.push_back(text.substr(begin, comma == std::string::npos ? comma : comma - begin));
  }
  return files;
}

std::vector<fs::path> paths_of(const std::vector<std::string>& given) {
  std::vector<fs::path> paths;
  for (const std::string& one : given)
    for (const std::string& path : split_files(one)) paths.emplace_back(path);
  return paths;
}

/// A value that follows an option: anything but a further option; "-1" is a value.
bool is_value(const std::string& word) { return !word.starts_with("--"); }

}  // namespace

ConfigOptions::ConfigOptions(CLI::App& app) : app_(app) {
  // Unknown options must stay with this command instead of going up to the program's parser, which would refuse them.
  app.fallthrough(false);
  app.allow_extras();
  add_globals(app);
  app.add_option("--config_file,--config-file", config_, "Config files, .json or .yaml, merged in order: F, F1,F2 or repeated")
      ->allow_extra_args(false);
  app.add_option("--meta_file,--meta-file", meta_, "Metadata files (default: metadata.json beside the config file, if there)")
      ->allow_extra_args(false);
  app.add_option("--args_file,--args-file", args_file_, "A .json or .yaml file that holds the options of this command and overrides");
}

void ConfigOptions::add(const std::string& name, std::string& value, const std::string& doc) {
  named_.emplace_back(name, &value);
  app_.add_option("--" + name, value, doc);
}

void ConfigOptions::add_switch(const std::string& name, std::string& value, const std::string& doc) {
  named_.emplace_back(name, &value);
  app_.add_flag("--" + name + "{True}", value, doc);
}

void ConfigOptions::read() {
  if (done_) return;
  done_ = true;
  if (!args_file_.empty()) {
    const Value held = bundle::ConfigParser::load_config_file(args_file_);
    with_context(args_file_, [&] {
      for (const auto& [key, value] : held.as_dict()) {
        const std::string name = key.str();
        const auto known = std::find_if(named_.begin(), named_.end(), [&](const auto& n) { return n.first == name; });
        if (name == "config_file" || name == "meta_file") {
          std::vector<std::string>& files = name == "config_file" ? config_ : meta_;
          if (files.empty()) files = split_files(value);
        } else if (known != named_.end()) {
          if (app_.count("--" + name) == 0) *known->second = value.str();
        } else {
          overrides_.emplace_back(name, value);
        }
      }
    });
  }
  const std::vector<std::string> rest = app_.remaining();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (!rest[i].starts_with("--") || rest[i] == "--") {
      if (rest[i].starts_with('-')) throw Error(ErrorKind::usage, "unknown option " + rest[i] + "; overrides are written --ID VALUE");
      words_.push_back(rest[i]);
      continue;
    }
    std::string id = rest[i].substr(2), text = "True";
    if (const auto equals = id.find('='); equals != std::string::npos) {
      text = id.substr(equals + 1);
      id.resize(equals);
    } else if (i + 1 < rest.size() && is_value(rest[i + 1])) {
      text = rest[++i];
    }
    const auto value = bundle::expr::literal(text);
    overrides_.emplace_back(id, value ? *value : Value(text));
  }
}

std::vector<std::string> ConfigOptions::words() {
  read();
  return words_;
}

std::vector<fs::path> ConfigOptions::config_files() {
  read();
  const std::vector<fs::path> files = paths_of(config_);
  if (files.empty()) throw Error(ErrorKind::usage, "--config_file is missing");
  return files;
}

std::vector<fs::path> ConfigOptions::meta_files() {
  read();
  if (!meta_.empty()) return paths_of(meta_);
  if (config_.empty()) return {};
  const fs::path beside = config_files().front().parent_path() / "metadata.json";
  return is_file(beside) ? std::vector<fs::path>{beside} : std::vector<fs::path>{};
}

bundle::ConfigParser ConfigOptions::parser() {
  bundle::ConfigParser parser;
  parser.read_config(config_files());
  if (const auto meta = meta_files(); !meta.empty()) parser.read_meta(meta);
  for (const auto& entry : overrides_) with_context("--" + entry.first, [&] { parser.update(entry.first, entry.second); });
  return parser;
}

}  // namespace vesal::cli
