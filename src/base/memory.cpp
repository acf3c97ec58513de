#include "base/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace vesal {
namespace {

namespace fs = std::filesystem;

std::atomic<std::uint64_t> limit_set = 0;  // 0: none

/// The number after `name` in a file of lines "name number [kB]".
std::optional<std::uint64_t> field(const fs::path& file, std::string_view name, std::uint64_t unit = 1) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::uint64_t number = 0;
    if (rest >> number) return number * unit;
  }
  return std::nullopt;
}

/// A file that holds one number; "max" is none.
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (in >> number) return number;
  return std::nullopt;
}

/// What the control group in this folder leaves; nothing if it has no limit.
std::optional<std::uint64_t> left_in(const fs::path& folder, const char* limit_name, const char* usage_name, std::string_view droppable_name) {
  const auto limit = number_in(folder / limit_name), usage = number_in(folder / usage_name);
  if (!limit || !usage || *limit > (std::uint64_t{1} << 60)) return std::nullopt;
  const std::uint64_t droppable = field(folder / "memory.stat", droppable_name).value_or(0), used = *usage - std::min(*usage, droppable);
  return *limit - std::min(*limit, used);
}

/// The least that the process's groups leave, from its own up to the outermost. In a container the path of the group is often not to be
/// seen: its limit then stands in the outermost folder.
void cover_groups(const fs::path& root, const auto& take) {
  std::ifstream in(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool version2 = controllers == ",,", version1 = controllers.find(",memory,") != std::string::npos;
    if (!version1 && !version2) continue;
    const fs::path top = version1 ? root / "sys/fs/cgroup/memory" : root / "sys/fs/cgroup";
    fs::path group = fs::path(line.substr(second + 1)).relative_path().lexically_normal();
    for (int depth = 0; depth < 64; ++depth) {
      const bool outermost = group.empty() || group == ".";
      const fs::path folder = outermost ? top : top / group;
      if (version1) take(left_in(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "));
      else take(left_in(folder, "memory.max", "memory.current", "inactive_file "));
      if (outermost) break;
      group = group.parent_path();
    }
  }
}

}  // namespace

std::uint64_t peak_memory() { return field("/proc/self/status", "VmHWM:", 1024).value_or(0); }
std::uint64_t resident_memory() { return field("/proc/self/status", "VmRSS:", 1024).value_or(0); }

std::optional<std::uint64_t> available_memory(const fs::path& root) {
  std::optional<std::uint64_t> least = field(root / "proc/meminfo", "MemAvailable:", 1024);
  const auto take = [&](std::optional<std::uint64_t> bytes) {
    if (bytes) least = std::min(*bytes, least.value_or(*bytes));
  };
  cover_groups(root, take);
  if (const auto limit = memory_limit()) take(*limit - std::min(*limit, resident_memory()));
  return least;
}

std::optional<std::uint64_t> memory_limit() {
  const std::uint64_t set = limit_set;
  std::optional<std::uint64_t> limit = set > 0 ? std::optional(set) : std::nullopt;
  if (const char* given = std::getenv("VESAL_MAX_MEMORY"); given && *given) {
    const std::uint64_t bytes = with_context("VESAL_MAX_MEMORY", [&] { return parse_bytes(given); });
    limit = std::min(bytes, limit.value_or(bytes));
  }
  return limit;
}

void set_memory_limit(std::optional<std::uint64_t> bytes) { limit_set = bytes ? std::max<std::uint64_t>(1, *bytes) : 0; }

std::uint64_t parse_bytes(std::string_view text) {
  const std::string given(text);
  const auto wrong = [&] { return Error(ErrorKind::config, "'" + given + "' is no size; want e.g. 6G, 800M or a number of bytes"); };
  if (given.empty() || !(std::isdigit(static_cast<unsigned char>(given[0])) || given[0] == '.')) throw wrong();
  char* end = nullptr;
  double number = std::strtod(given.c_str(), &end);
  std::string unit(end);
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  if (unit.size() > 1 && unit.ends_with("B")) unit.resize(unit.ends_with("IB") ? unit.size() - 2 : unit.size() - 1);
  static constexpr std::string_view kUnits = "KMGT";
  if (unit.size() == 1 && kUnits.find(unit[0]) != std::string_view::npos) number *= std::pow(1024.0, static_cast<double>(kUnits.find(unit[0]) + 1));
  else if (!unit.empty() && unit != "B") throw wrong();
  if (!(number >= 0 && number < 9e18)) throw wrong();
  return static_cast<std::uint64_t>(number);
}

std::string bytes_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (b >= 0.95e9) return fmt::format("{:.1f} GB", b / 1e9);
  return b >= 0.95e6 ? fmt::format("{:.0f} MB", b / 1e6) : fmt::format("{:.0f} kB", b / 1e3);
}

}  // namespace vesal
