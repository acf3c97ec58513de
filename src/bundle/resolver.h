// Turns a config as written into values: macros and relative ids first, then references, expressions and components.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/value.h"
#include "bundle/config.h"

namespace vesal::bundle {

/// What an id of a config points at, or nullptr. Keys that are numbers in YAML answer to their text.
const Value* navigate(const Value& config, const std::string& id);
/// A copy that shares nothing with `v` but objects and arrays. Throws Error(config) when nested too deep.
Value deep_copy(const Value& v, int depth = 0);
bool is_component(const Value& v);   ///< a dict with "_target_"
bool is_expression(const Value& v);  ///< a string that starts with "$"
/// "@#A" as "@B::A" when it stands in B; "@##A" a level higher.
std::string resolve_relative_ids(const std::string& id, std::string text);
/// The config with every macro ("%id", "%file.json::id") and relative id replaced.
Value resolve_macros(const Value& config, const std::filesystem::path& folder);

/// Stands for a component or an expression that was not made, where instantiate is false.
class Described : public Object {
 public:
  explicit Described(Value shown) : shown(std::move(shown)) {}
  std::string type_name() const override { return "component"; }
  std::string repr() const override { return shown.repr(); }
  /// .to(device), .eval() and the like give the component itself; everything else needs the object: Error(unsupported).
  std::optional<Value> attribute(std::string_view name) override;
  const Value shown;
};
/// Described objects replaced by what they show, everywhere inside.
Value undescribed(const Value& v);

/// Resolves ids of one config and keeps what it resolved.
class Resolver {
 public:
  explicit Resolver(const ConfigParser& parser);
  Value value_of(const std::string& id, const ParseOptions& options);
  bool contains(const std::string& id) const { return navigate(config_, id) != nullptr; }
  void forget(const std::string& id);

 private:
  struct Mode {
    bool instantiate, evaluate, keep_going;
    auto operator<=>(const Mode&) const = default;
  };
  Value resolve(const std::string& id, const std::string& needed_by);
  Value build(const std::string& id, const Value& config);
  Value child(const std::string& id, const Value& config);
  Value members(const std::string& id, const Value& config);
  Value component(const std::string& id, const Dict& config);
  Value construct_target(const std::string& id, const Value& target, const std::string& mode, CallArgs args);
  Value expression(const std::string& id, const std::string& text);
  void collect_imports(const Value& config);
  std::string where(const std::string& id) const;

  const ConfigParser& parser_;
  Value config_;
  std::shared_ptr<std::map<std::string, std::string>> imports_;
  std::map<std::pair<Mode, std::string>, Value> resolved_;
  std::vector<std::string> waiting_;
  Mode mode_{};
  bool located_ = false;  ///< the error on its way already names its place
};

}  // namespace vesal::bundle
