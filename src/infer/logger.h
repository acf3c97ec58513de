// engine.logger: messages of an engine, on standard error and in the files a LogfileHandler opens.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::infer {

/// Levels are Python's: 10 debug, 20 info, 30 warning, 40 error. Not thread safe.
class Logger : public Object {
 public:
  explicit Logger(std::string name) : name_(std::move(name)) {}
  std::string type_name() const override { return "Logger"; }
  /// name, level, setLevel(level), debug(text), info(text), warning(text), error(text).
  std::optional<Value> attribute(std::string_view name) override;

  void write(int level, const std::string& message);
  void info(const std::string& message) { write(20, message); }
  void warning(const std::string& message) { write(30, message); }
  void set_level(int level) { level_ = level; }

  /// Also appends messages of at least `level` to a file until remove_file(); `format` is Python's logging format.
  void add_file(const std::filesystem::path& path, int level, const std::string& format);
  void remove_file(const std::filesystem::path& path);

 private:
  struct File {
    std::filesystem::path path;
    std::ofstream stream;
    int level;
    std::string format;
  };
  std::string name_;
  int level_ = 20;
  std::vector<File> files_;
};

}  // namespace vesal::infer
