#include "infer/logger.h"

#include <fmt/chrono.h>

#include <ctime>

#include "base/error.h"
#include "base/log.h"
#include "base/registry.h"

namespace vesal::infer {
namespace {

const char* level_name(int level) { return level >= 40 ? "ERROR" : level >= 30 ? "WARNING" : level >= 20 ? "INFO" : "DEBUG"; }

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

}  // namespace

std::optional<Value> Logger::attribute(std::string_view name) {
  if (name == "name") return Value(name_);
  if (name == "level") return Value(level_);
  auto self = std::static_pointer_cast<Logger>(shared_from_this());
  if (name == "setLevel") {
    return make_function("setLevel", [self](const CallArgs& args) -> Value {
      self->set_level(bind("setLevel", {required("level", "Python's level number")}, args).get<int>("level"));
      return {};
    });
  }
  for (const auto& [method, level] : {std::pair{"debug", 10}, {"info", 20}, {"warning", 30}, {"error", 40}}) {
    if (name != method) continue;
    return make_function(method, [self, level = level](const CallArgs& args) -> Value {
      self->write(level, bind("logger", {required("msg", "text")}, args)["msg"].str());
      return {};
    });
  }
  return std::nullopt;
}

void Logger::write(int level, const std::string& message) {
  if (level < level_) return;
  const log::Level shown = level >= 40 ? log::Level::error : level >= 30 ? log::Level::warning : level >= 20 ? log::Level::info : log::Level::debug;
  if (shown >= log::level()) log::write(shown, message);
  for (File& file : files_) {
    if (level < file.level) continue;
    std::string line = file.format;
    replace_all(line, "%(asctime)s", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::time(nullptr))));
    replace_all(line, "%(name)s", name_);
    replace_all(line, "%(levelname)s", level_name(level));
    replace_all(line, "%(message)s", message);
    file.stream << line << std::endl;
  }
}

void Logger::add_file(const std::filesystem::path& path, int level, const std::string& format) {
  std::ofstream stream(path, std::ios::app);
  if (!stream) throw Error(ErrorKind::io, "cannot write " + path.string());
  files_.push_back({path, std::move(stream), level, format});
}

void Logger::remove_file(const std::filesystem::path& path) {
  std::erase_if(files_, [&](const File& file) { return file.path == path; });
}

}  // namespace vesal::infer
