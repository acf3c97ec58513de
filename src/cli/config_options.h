// --config_file, --meta_file, --args_file and `--ID VALUE` overrides, read as `python -m monai.bundle` reads them.
//
//   auto config = std::make_shared<ConfigOptions>(app);
//   return [config] { bundle::ConfigParser parser = config->parser(); ... };
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bundle/config.h"
#include "cli/command.h"

namespace vesal::cli {

/// Must live as long as the command. Every option of the command that is not known to CLI11 is an override: `--a::b 3`,
/// `--a#b=3`, `--+list "[x, y]"`; one without a value is True.
class ConfigOptions {
 public:
  explicit ConfigOptions(CLI::App& app);
  /// `--NAME VALUE`, which the file of --args_file may hold as well; `value` keeps its default without either.
  void add(const std::string& name, std::string& value, const std::string& doc);
  void add_switch(const std::string& name, std::string& value, const std::string& doc);  ///< --NAME is "True"

  /// What follows is known once the command line has been parsed. Throws Error(usage | not_found | format | config).
  /// A parser with the files read in order, the metadata ("metadata.json" beside the first file when none is named), the overrides.
  bundle::ConfigParser parser();
  std::vector<std::filesystem::path> config_files();
  std::vector<std::filesystem::path> meta_files();  ///< empty if there are none
  /// Words that belong to no option, such as RUN_ID.
  std::vector<std::string> words();

 private:
  void read();
  CLI::App& app_;
  std::vector<std::string> config_, meta_;
  std::string args_file_;
  std::vector<std::pair<std::string, std::string*>> named_;
  std::vector<std::string> words_;
  std::vector<std::pair<std::string, Value>> overrides_;
  bool done_ = false;
};

}  // namespace vesal::cli
