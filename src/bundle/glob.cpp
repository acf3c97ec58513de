// glob.glob, by Python's rules.
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "bundle/allow.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;

bool has_magic(const std::string& s) { return s.find_first_of("*?[") != std::string::npos; }

/// Names in a folder, folders told apart; nothing if it cannot be read.
std::vector<std::pair<std::string, bool>> names_in(const std::string& folder) {
  std::vector<std::pair<std::string, bool>> names;
  std::error_code ec;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, ec), end; !ec && it != end; it.increment(ec)) {
    expr::spend();
    std::error_code ignored;
    names.emplace_back(it->path().filename().string(), it->is_directory(ignored));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.ends_with('/') ? folder + name : folder + "/" + name;
}

void below(const std::string& folder, std::vector<std::string>& folders, int depth) {
  folders.push_back(folder);
  if (depth > 64) return;  // a circle of links
  for (const auto& [name, is_folder] : names_in(folder))
    if (is_folder && !name.starts_with('.')) below(joined(folder, name), folders, depth + 1);
}

/// Matches the parts of a pattern from `at` on, starting in `folder`.
void match(const std::string& folder, const std::vector<std::string>& parts, std::size_t at, bool recursive, std::set<std::string>& found) {
  const std::string& part = parts[at];
  const bool last = at + 1 == parts.size();
  std::error_code ec;
  if (recursive && part == "**") {
    std::vector<std::string> folders;
    below(folder, folders, 0);
    for (const std::string& f : folders) {
      if (!last) {
        match(f, parts, at + 1, recursive, found);
        continue;
      }
      if (f != folder || !f.empty()) found.insert(f == folder && !f.ends_with('/') ? f + "/" : f);
      for (const auto& [name, is_folder] : names_in(f))
        if (!is_folder && !name.starts_with('.')) found.insert(joined(f, name));
    }
    return;
  }
  if (!has_magic(part)) {
    const std::string path = joined(folder, part);
    if (last) {
      if (part.empty() ? fs::is_directory(folder, ec) : fs::exists(fs::symlink_status(path, ec))) found.insert(path);
    } else if (fs::is_directory(path, ec)) {
      match(path, parts, at + 1, recursive, found);
    }
    return;
  }
  for (const auto& [name, is_folder] : names_in(folder)) {
    if (fnmatch(part.c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) != 0) continue;
    if (last) found.insert(joined(folder, name));
    else if (is_folder) match(joined(folder, name), parts, at + 1, recursive, found);
  }
}

}  // namespace

std::vector<std::string> glob_files(const std::string& pattern, bool recursive) {
  if (pattern.empty()) return {};
  if (pattern.find('\0') != std::string::npos) throw Error(ErrorKind::config, "a path with a zero byte");
  std::vector<std::string> parts;
  const std::size_t root = std::min(pattern.find_first_not_of('/'), pattern.size());
  for (std::size_t begin = root; begin <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    if (end > begin || end == pattern.size()) parts.push_back(pattern.substr(begin, end - begin));
    begin = end + 1;
  }
  std::set<std::string> found;
  match(root > 0 ? "/" : "", parts, 0, recursive, found);
  return {found.begin(), found.end()};
}

}  // namespace vesal::bundle
