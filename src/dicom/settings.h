// A mapping of a YAML file, read key by key: each has a type and bounds, and what nobody asked for is an error that names it.
#pragma once
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::dicom {

/// One mapping. Every reader throws Error(config) "WHERE: KEY: ..." for a value of another type or out of bounds. The Value must outlive it.
class Settings {
 public:
  Settings(const Value& value, std::string where);

  bool has(const std::string& key) const;
  std::string text(const std::string& key);  ///< must be there and not be empty
  std::string text(const std::string& key, const std::string& otherwise);
  /// A list of texts, or one text; empty if the key is not there.
  std::vector<std::string> texts(const std::string& key);
  std::int64_t integer(const std::string& key, std::int64_t otherwise, std::int64_t low, std::int64_t high);
  bool flag(const std::string& key, bool otherwise);
  /// "30s", "5m", "2h", "7d", "500ms", or a number of seconds.
  std::chrono::milliseconds duration(const std::string& key, std::chrono::milliseconds otherwise);
  /// "20GB", "500MB", "64KB" (powers of 1000), or a number of bytes.
  std::uint64_t bytes(const std::string& key, std::uint64_t otherwise);
  /// A mapping within; an empty one if the key is not there.
  Settings section(const std::string& key);
  /// The mappings of a list.
  std::vector<Settings> sections(const std::string& key);
  /// The keys in their order, for mappings whose keys are names.
  std::vector<std::string> keys() const;
  const std::string& where() const { return where_; }
  [[noreturn]] void fail(const std::string& key, const std::string& why) const;
  /// Throws Error(config) naming keys that nothing has asked for, and those that could have been meant.
  void done() const;

 private:
  const Value* find(const std::string& key);
  const Value* value_;
  std::string where_;
  std::set<std::string> asked_;
};

}  // namespace vesal::dicom
