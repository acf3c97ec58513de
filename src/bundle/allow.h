// Helpers for the files of the allow-list, allow_*.cpp: one file per Python module.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/registry.h"

namespace vesal::bundle {

/// A function with Python's names and defaults of its arguments:
/// static const AllowBound join("os.makedirs", {required("name", "folder")}, [](const Args& a) { ... });
struct AllowBound {
  AllowBound(std::initializer_list<std::string> dotted, std::vector<Param> params, std::function<Value(const Args&)> body);
  AllowBound(const std::string& dotted, std::vector<Param> params, std::function<Value(const Args&)> body)
      : AllowBound({dotted}, std::move(params), std::move(body)) {}
};

/// A folder or file as pathlib.Path has it, for reading only.
class PathObject : public Object {
 public:
  explicit PathObject(std::filesystem::path path) : path(std::move(path)) {}
  std::string type_name() const override { return "Path"; }
  std::string repr() const override { return path.string(); }
  std::optional<Value> attribute(std::string_view name) override;
  const std::filesystem::path path;
};

/// A path given as a string or a Path; throws Error(config) on anything else.
std::string path_text(const Value& v);
/// glob.glob: Python's patterns ("*", "?", "[!a]", "**" with `recursive`), names that start with a dot only when the pattern does.
/// Sorted, so that the same folder always gives the same list.
std::vector<std::string> glob_files(const std::string& pattern, bool recursive);

}  // namespace vesal::bundle
