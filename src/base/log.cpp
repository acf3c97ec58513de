#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/progress.h"

namespace vesal::log {
namespace {

Level current = Level::info;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto l = std::make_shared<spdlog::logger>("vesal", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    l->set_pattern("%^%v%$");
    l->set_level(spdlog::level::trace);
    return l;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) { current = level; }
Level level() { return current; }

void write(Level level, std::string_view message) {
  clear_progress_line();
  switch (level) {
    case Level::debug: logger().debug("{}", message); break;
    case Level::info: logger().info("{}", message); break;
    case Level::warning: logger().warn("warning: {}", message); break;
    default: logger().error("{}", message); break;
  }
}

}  // namespace vesal::log
