// Messages for people, on standard error; results go to standard output. Never patient data or secrets.
#pragma once
#include <fmt/format.h>

#include <string_view>

namespace vesal::log {

enum class Level { debug, info, warning, error, off };
void set_level(Level level);
Level level();
void write(Level level, std::string_view message);

template <class... A>
void debug(fmt::format_string<A...> f, A&&... a) {
  if (level() <= Level::debug) write(Level::debug, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void info(fmt::format_string<A...> f, A&&... a) {
  if (level() <= Level::info) write(Level::info, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void warning(fmt::format_string<A...> f, A&&... a) {
  if (level() <= Level::warning) write(Level::warning, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void error(fmt::format_string<A...> f, A&&... a) {
  if (level() <= Level::error) write(Level::error, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace vesal::log
