// A model of the registry: its objects, and the decisions that change it.
#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/registry.h"
#include "base/sha256.h"
#include "bundle/bundle_folder.h"
#include "tune/durable.h"
#include "tune/file_lock.h"
#include "tune/registry.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

constexpr double kPatience = 30;  ///< seconds to wait for another process that decides
constexpr std::uint64_t kMostObject = 256ull << 20;

Value files_value(const std::vector<HashedFile>& files) {
  List list;
  for (const HashedFile& f : files) list.items.push_back(Dict{{"path", f.path}, {"bytes", f.bytes}, {"sha256", f.sha256}});
  return list;
}

/// The hash of the weights among a bundle's files; "" if there are none under the usual names.
std::string weights_hash(const std::vector<HashedFile>& files) {
  for (const char* name : {"models/model.pt", "models/model.safetensors", "models/model.ts"})
    for (const HashedFile& f : files)
      if (f.path == name) return f.sha256;
  return "";
}

}  // namespace

Model::Model(const fs::path& registry, const std::string& name) : folder_(registry / name), name_(name) {
  check_name(name, "model");
  std::error_code ignored;
  if (fs::is_regular_file(folder_ / "journal.jsonl", ignored)) return;
  throw Error(ErrorKind::not_found, "no model '" + name + "' in the registry " + registry.string() + suggestion(name, Registry(registry).models()) +
                                        "; `vesal registry init` makes one");
}

ModelState Model::state() const {
  return with_context("model " + name_, [&] { return replay(Journal(folder_).read()); });
}

void Model::heal() const {
  try {
    std::error_code ec;
    const auto leads = [&] { return fs::read_symlink(folder_ / "champion", ec); };
    if (leads() == fs::path("versions") / state().champion()) return;
    const FileLock lock(lock_file(), "heal", 1);
    const std::string champion = state().champion();
    log::warning("{}: it led to {}, the journal's champion is {}: put right", (folder_ / "champion").string(), leads().string(), champion);
    point_to(champion);
  } catch (const Error&) {}  // what is wrong then is for the command to find
}

Value Model::object(const std::string& hash) const {
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorKind::refused, "'" + hash + "' is no hash of an object");
  const fs::path file = folder_ / "objects" / (hash + ".json");
  const std::string text = read_text(file, kMostObject);
  if (sha256(text) != hash) throw Error(ErrorKind::refused, file.string() + " was changed: it is not what its name and the journal say");
  return parse_json(text);
}

std::string Model::put_object(const Value& value) const {
  const std::string text = to_json(value, 1) + "\n", hash = sha256(text);
  const fs::path file = folder_ / "objects" / (hash + ".json");
  std::error_code ignored;
  if (!fs::exists(file, ignored)) write_durably(file, text);
  return hash;
}

std::vector<HashedCase> Model::cases(const std::string& object_hash) const {
  if (object_hash.empty()) return {};
  return with_context("cases of " + name_, [&] { return hashed_cases_of(object(object_hash), folder_); });
}

std::vector<HashedCase> Model::pool(const ModelState& state) const {
  std::vector<std::string> lists;  // the newest first: a label that was corrected since counts
  for (const VersionInfo* v : state.lineage(state.champion()))
    if (!v->month_data.empty()) lists.push_back(v->month_data);
  lists.push_back(state.pool);
  std::vector<HashedCase> out;
  std::set<std::string> seen;
  for (const std::string& list : lists)
    for (HashedCase& c : cases(list))
      if (seen.insert(c.image_sha256).second) out.push_back(std::move(c));
  return out;
}

void Model::place_version(const fs::path& bundle, const std::string& version, Dict& what) const {
  check_name(version, "version");
  if (!bundle::is_bundle(bundle)) throw Error(ErrorKind::not_found, bundle.string() + " is no bundle");
  const fs::path staging = folder_ / ("staging-" + version), target = version_folder(version);
  std::error_code ec;
  fs::remove_all(staging, ec);  // of a crash, as is a version the journal does not know
  fs::remove_all(target, ec);
  try {
    copy_files(bundle, staging);
    step("version: copied");
    const std::vector<HashedFile> files = hash_files(staging);
    what["files"] = put_object(files_value(files));
    what["weights_sha256"] = weights_hash(files);
    fs::create_directories(target.parent_path());
    rename_durably(staging, target);
    step("version: in place");
  } catch (...) {
    fs::remove_all(staging, ec);
    throw;
  }
}

void Model::point_to(const std::string& champion) const {
  const fs::path link = folder_ / "champion", target = fs::path("versions") / champion, fresh = folder_ / "champion.new";
  std::error_code ec;
  if (fs::is_symlink(link, ec) && fs::read_symlink(link, ec) == target) return;
  fs::remove(fresh, ec);
  fs::create_directory_symlink(target, fresh, ec);
  if (!ec) fs::rename(fresh, link, ec);
  if (ec) log::warning("{}: {}; `vesal registry show --path` tells the champion's folder", link.string(), ec.message());
}

JournalEntry Model::add_version(const fs::path& bundle, const std::string& version, const std::string& event, Dict what, bool champion,
                                const std::string& expected, const Program& program) const {
  const FileLock lock(lock_file(), event, kPatience);
  const ModelState before = state();
  if (before.find(version)) throw Error(ErrorKind::usage, "model " + name_ + " has a version " + version + " already");
  if (!expected.empty() && before.champion() != expected)
    throw Error(ErrorKind::refused,
                fmt::format("{} became champion of {} in the meantime, and {} was measured against {}: run the same command again", before.champion(),
                            name_, version, expected));
  what["version"] = version;
  what["champion"] = champion;
  place_version(bundle, version, what);
  const JournalEntry entry = Journal(folder_).append(event, what, program);
  point_to(champion ? version : before.champion());
  step("version: done");
  return entry;
}

JournalEntry Model::crown(const std::string& event, const std::string& version, const std::string& why, const ModelState& state,
                          const Program& program) const {
  Dict what{{"version", version}, {"from", state.champion()}, {"why", why}};
  if (event == "promote") what["champion"] = true;
  const JournalEntry entry = Journal(folder_).append(event, what, program);
  point_to(version);
  step("champion: done");
  return entry;
}

JournalEntry Model::promote(const std::string& version, const std::string& why, const Program& program) const {
  const FileLock lock(lock_file(), "promote", kPatience);
  const ModelState before = state();
  before.version(version);
  if (before.champion() == version) throw Error(ErrorKind::usage, version + " is the champion of " + name_ + " already");
  return crown("promote", version, why, before, program);
}

JournalEntry Model::rollback(const std::string& why, const Program& program) const {
  const FileLock lock(lock_file(), "rollback", kPatience);
  const ModelState before = state();
  if (before.reign.size() < 2) throw Error(ErrorKind::usage, before.champion() + " is the first champion of " + name_ + ": there is none before it");
  return crown("rollback", before.reign[before.reign.size() - 2], why, before, program);
}

JournalEntry Model::record(const std::string& event, const Dict& what, const Program& program) const {
  const FileLock lock(lock_file(), event, kPatience);
  return Journal(folder_).append(event, what, program);
}

}  // namespace vesal::tune
