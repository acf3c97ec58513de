// A bundle's configuration: MONAI 1.5's language of references, expressions, macros and components (monai.bundle.ConfigParser).
//
//   ConfigParser parser;
//   parser.read_config({"configs/inference.json"});
//   parser.set("bundle_root", bundle_folder);
//   auto network = parser.object<nn::Network>("network");
//
// Ids are paths: "train::handlers::0" ("#" means the same as "::"). docs/bundles.md has the rules. Not thread safe.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::bundle {

class Resolver;

/// How get_parsed_content() answers.
struct ParseOptions {
  /// false: nothing is constructed. A component stands as the dict of its resolved arguments, and an expression that would
  /// need the object itself stays as its text.
  bool instantiate = true;
  bool eval_expr = true;                         ///< false: expressions stay as their text
  bool lazy = true;                              ///< false: forget everything resolved so far and start afresh
  bool keep_going = false;                       ///< a failing item becomes {"_error_": message} inside its parent instead of throwing
  std::optional<Value> fallback = std::nullopt;  ///< the answer when the id is not there; without it that is Error(not_found)
};

/// Every error names the file, the id and, where there is one, the expression.
class ConfigParser {
 public:
  ConfigParser();
  explicit ConfigParser(Value config);  ///< a dict
  ~ConfigParser();
  ConfigParser(ConfigParser&&) noexcept;
  ConfigParser& operator=(ConfigParser&&) noexcept;

  /// Reads .json, .yaml and .yml files, merged in order: a later key replaces an earlier one, "+key" extends it, "a::b" reaches
  /// inside. Replaces the present config but for its metadata. Throws Error(not_found | format | config).
  void read_config(const std::vector<std::filesystem::path>& files);
  /// Reads metadata into "_meta_".
  void read_meta(const std::vector<std::filesystem::path>& files);
  /// One file as it stands; of a doubled key the last one counts, as in MONAI.
  static Value load_config_file(const std::filesystem::path& file);

  /// The config as written; "" is the whole. Throws Error(not_found).
  Value get(const std::string& id = "") const;
  Value get(const std::string& id, const Value& fallback) const;
  bool contains(const std::string& id) const;
  /// Sets the config of an id and forgets what was resolved; missing dicts on the way are made.
  void set(const std::string& id, Value config);
  /// `--id text` of a command line: text that is a Python literal is taken as one, the rest stays a string. "+id" merges.
  void override_with(const std::string& id, const std::string& text);
  /// The same of a value: a later key replaces an earlier one, "+id" extends it.
  void update(const std::string& id, const Value& value);

  /// The value an id stands for: components constructed, expressions evaluated, references replaced. What was resolved once is
  /// kept, so that "@network" is the same object everywhere. "" is the whole config.
  Value get_parsed_content(const std::string& id = "", const ParseOptions& options = {});
  /// The object an id stands for, as T. Throws Error(config) when it is something else.
  template <class T>
  std::shared_ptr<T> object(const std::string& id) {
    const Value v = get_parsed_content(id);
    if (auto p = v.object<T>()) return p;
    throw wrong_type(id, v);
  }
  /// Runs an id as `bundle run` does: a list item by item, each evaluated anew on every call. Missing ids give an empty list.
  std::vector<Value> run_expressions(const std::string& id);
  /// Forgets everything resolved so far.
  void reset();

  /// Folder in which relative paths of macros ("%other.json::id") are looked for after the working directory; read_config() sets
  /// it to the folder of its first file.
  void set_folder(std::filesystem::path folder);
  const std::filesystem::path& folder() const { return folder_; }
  /// The file the top-level part of an id came from; empty if from none.
  std::filesystem::path file_of(const std::string& id) const;

 private:
  friend class Resolver;
  Error wrong_type(const std::string& id, const Value& value) const;
  Value config_;
  std::map<std::string, std::filesystem::path> files_;
  std::filesystem::path folder_;
  std::unique_ptr<Resolver> resolver_;
};

/// "a#b" as "a::b".
std::string normalize_id(std::string id);
std::vector<std::string> split_id(const std::string& id);

}  // namespace vesal::bundle
