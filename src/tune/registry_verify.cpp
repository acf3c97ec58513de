// Whether a model of the registry is what its journal says.
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/cancel.h"
#include "base/error.h"
#include "tune/durable.h"
#include "tune/registry.h"

namespace vesal::tune {

namespace {

namespace fs = std::filesystem;

/// Runs a check; what it throws is a fault.
template <class Check>
void note_faults(std::vector<std::string>& faults, Check&& check) {
  try {
    check();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    faults.emplace_back(e.what());
  }
}

/// A version's files against the list that the journal holds the hash of.
void check_files(const Model& model, const VersionInfo& version, std::vector<std::string>& faults) {
  const fs::path folder = model.version_folder(version.version);
  std::map<std::string, std::string> there;
  for (const HashedFile& f : hash_files(folder)) there[f.path] = f.sha256;
  const Value list = model.object(version.files);
  for (const Value& listed : list.items()) {
    const std::string path = listed.as_dict().at("path").as_string();
    const auto found = there.find(path);
    if (found == there.end()) faults.push_back((folder / path).string() + " is missing");
    else if (found->second != listed.as_dict().at("sha256").as_string()) faults.push_back((folder / path).string() + " was changed");
    if (found != there.end()) there.erase(found);
  }
  for (const auto& [path, hash] : there) faults.push_back((folder / path).string() + " was added");
}

void check_champion(const Model& model, const std::string& champion, std::vector<std::string>& faults) {
  const fs::path link = model.folder() / "champion";
  std::error_code ec;
  if (!fs::is_symlink(link, ec)) return;  // some file systems have no links
  if (const fs::path target = fs::read_symlink(link, ec); target != fs::path("versions") / champion)
    faults.push_back(
        fmt::format("{} leads to {}, but the journal's champion is {}; the next decision puts it right", link.string(), target.string(), champion));
}

/// Objects that the journal holds hashes of: they are read, which checks them.
void check_objects(const Model& model, const std::vector<JournalEntry>& entries, std::vector<std::string>& faults) {
  std::set<std::string> seen;
  for (const JournalEntry& entry : entries)
    for (const char* key : {"reference", "pool", "data", "files", "scores", "comparison", "findings", "screening"})
      if (const std::string hash = entry.text(key); !hash.empty() && seen.insert(hash).second) note_faults(faults, [&] { model.object(hash); });
}

void check_orphans(const Model& model, const ModelState& state, std::vector<std::string>& notes) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(model.folder() / "versions", ec))
    if (!state.find(entry.path().filename().string()))
      notes.push_back(entry.path().string() + " is in no entry of the journal: a crash left it, or somebody put it there; it may be removed");
  for (const auto& entry : fs::directory_iterator(model.folder() / "months", ec))
    notes.push_back(entry.path().string() + " is an increment that is not decided: the same command goes on with it");
}

}  // namespace

VerifyReport verify(const Model& model, bool data, const std::string& noted) {
  VerifyReport report;
  std::vector<JournalEntry> entries;
  note_faults(report.faults, [&] { report.faults = Journal(model.folder()).faults(entries); });
  report.entries = static_cast<std::int64_t>(entries.size());
  if (!entries.empty()) report.head = entries.back().hash;
  if (!noted.empty()) {
    bool found = false;
    for (const JournalEntry& entry : entries) found = found || entry.hash == noted;
    if (!found) report.faults.push_back("no entry of the journal has the hash " + noted + ": the journal is not the one this hash was noted from");
  }
  note_faults(report.faults, [&] {
    const ModelState state = replay(entries);
    check_objects(model, entries, report.faults);
    for (const VersionInfo& version : state.versions) {
      check_cancelled();
      note_faults(report.faults, [&] { check_files(model, version, report.faults); });
    }
    check_champion(model, state.champion(), report.faults);
    check_orphans(model, state, report.notes);
    if (!data) return;
    for (const std::string& change : changed_files(model.cases(state.reference))) report.faults.push_back("reference: " + change);
    for (const std::string& change : changed_files(model.pool(state))) report.faults.push_back("pool: " + change);
  });
  return report;
}

}  // namespace vesal::tune
