#include "cli/findings.h"

#include <fmt/format.h>

#include <algorithm>

namespace vesal::cli {

using judge::Finding;

std::size_t count_findings(const std::vector<Finding>& findings, judge::Severity severity) {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == severity; }));
}

void print_findings(const std::vector<Finding>& findings) {
  for (const Finding& f : findings) {
    const std::string where = f.file.empty() ? "" : f.file.string() + ": ";
    fmt::print("{:<8} {:<12} {}{}\n", judge::name_of(f.severity), f.rule, where, f.message);
    if (!f.repair.empty()) fmt::print("{:<21} -> {}{}\n", "", f.repair, f.fix == judge::Fix::none ? "" : "  [--fix]");
  }
}

}  // namespace vesal::cli
