// What the journal of a model amounts to.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"
#include "base/registry.h"
#include "tune/registry.h"

namespace vesal::tune {
namespace {

bool is_true(const JournalEntry& entry, const char* key) {
  const Value* found = entry.value.as_dict().find(key);
  return found && found->is_bool() && found->as_bool();
}

void take_version(ModelState& state, const JournalEntry& entry) {
  VersionInfo v;
  v.version = entry.text("version");
  v.parent = entry.text("parent");
  v.month = entry.text("month");
  v.files = entry.text("files");
  v.scores = entry.text("scores");
  v.month_data = entry.event() == "increment" ? entry.text("data") : "";
  v.status = entry.event() == "increment" ? "rejected" : "candidate";
  v.entry = entry;
  state.versions.push_back(std::move(v));
}

}  // namespace

ModelState replay(std::vector<JournalEntry> journal) {
  ModelState state;
  for (const JournalEntry& entry : journal) {
    const std::string event = entry.event();
    if (event == "init") {
      state.reference = entry.text("reference");
      state.pool = entry.text("pool");
    }
    if (!entry.text("files").empty()) take_version(state, entry);
    if (event == "rollback" && state.reign.size() > 1) state.reign.pop_back();
    else if (event != "rollback" && is_true(entry, "champion")) state.reign.push_back(entry.text("version"));
  }
  if (state.reign.empty()) throw Error(ErrorKind::refused, "the journal names no champion");
  std::set<std::string> reigned;
  for (const JournalEntry& entry : journal)
    if (is_true(entry, "champion")) reigned.insert(entry.text("version"));
  for (VersionInfo& v : state.versions)
    if (v.version == state.champion()) v.status = "champion";
    else if (reigned.contains(v.version)) v.status = "former champion";
  state.journal = std::move(journal);
  return state;
}

const VersionInfo* ModelState::find(const std::string& name) const {
  const auto found = std::find_if(versions.begin(), versions.end(), [&](const VersionInfo& v) { return v.version == name; });
  return found == versions.end() ? nullptr : &*found;
}

const VersionInfo& ModelState::version(const std::string& name) const {
  if (const VersionInfo* found = find(name)) return *found;
  std::vector<std::string> names;
  for (const VersionInfo& v : versions) names.push_back(v.version);
  throw Error(ErrorKind::not_found, fmt::format("no version '{}'; there are {}", name, fmt::join(names, ", ")));
}

std::vector<const VersionInfo*> ModelState::lineage(const std::string& version) const {
  std::vector<const VersionInfo*> out;
  for (const VersionInfo* v = find(version); v && out.size() <= versions.size(); v = v->parent.empty() ? nullptr : find(v->parent)) out.push_back(v);
  return out;
}

std::string Model::next_version(const ModelState& state, const std::string& parent) {
  std::string stem = parent + ".";
  std::int64_t number = 0;
  if (const auto dot = parent.rfind('.'); dot != std::string::npos) {
    const auto [end, error] = std::from_chars(parent.data() + dot + 1, parent.data() + parent.size(), number);
    if (error == std::errc() && end == parent.data() + parent.size() && number >= 0 && number < 1000000000) stem = parent.substr(0, dot + 1);
    else number = 0;
  }
  while (state.find(stem + std::to_string(++number))) {}
  return stem + std::to_string(number);
}

}  // namespace vesal::tune
