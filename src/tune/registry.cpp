#include "tune/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "bundle/bundle_folder.h"
#include "tune/durable.h"
#include "tune/file_lock.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStaging = ".staging-";

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool is_name(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 && c < 128; };
  return !name.empty() && name.size() <= 100 && plain(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [&](unsigned char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

fs::path default_registry() {
  if (const std::string own = env("VESAL_REGISTRY"); !own.empty()) return own;
  if (const std::string data = env("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "vesal/registry";
  if (const std::string home = env("HOME"); !home.empty()) return fs::path(home) / ".local/share/vesal/registry";
  throw Error(ErrorKind::usage, "where is the registry? Give --registry DIR or set VESAL_REGISTRY");
}

void check_name(const std::string& name, const char* what) {
  if (!is_name(name))
    throw Error(ErrorKind::usage, fmt::format("'{}' is no name for a {}: letters, digits, '.', '_' and '-' are allowed, 100 at most, the first a "
                                              "letter or a digit",
                                              name, what));
}

std::vector<std::string> Registry::models() const {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder_, ec)) {
    const std::string name = entry.path().filename().string();
    if (is_name(name) && fs::is_regular_file(entry.path() / "journal.jsonl", ec)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Model Registry::create(const NewModel& what, const Program& program) const {
  check_name(what.name, "model");
  std::error_code ec;
  fs::create_directories(folder_, ec);
  if (ec) throw Error(ErrorKind::io, "making the registry " + folder_.string() + ": " + ec.message());
  const fs::path root = fs::canonical(folder_);
  const FileLock lock(root / "lock", "init " + what.name, 30);
  if (fs::exists(root / what.name, ec)) throw Error(ErrorKind::usage, "the registry " + root.string() + " has a model " + what.name + " already");
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.path().filename().string().starts_with(kStaging)) left.push_back(entry.path());  // nobody else holds the lock: a crash left it
  for (const fs::path& folder : left) fs::remove_all(folder, ec);

  const bundle::BundleFacts facts = bundle::read_bundle_facts(what.bundle);
  const std::string version = is_name(facts.version) ? facts.version : "1";
  const fs::path staging = root / (kStaging + what.name), final_place = root / what.name;
  try {
    const Model model(staging);
    fs::create_directories(staging);
    std::vector<HashedCase> reference = what.reference, pool = what.pool;
    map_labels(reference, what.reference_map, staging / "labels");
    map_labels(pool, what.pool_map, staging / "labels");
    Dict event{{"model", what.name},
               {"version", version},
               {"bundle", facts.name},
               {"champion", true},
               {"cases", reference.size()},
               {"pool_cases", pool.size()},
               {"from", fs::absolute(what.bundle).lexically_normal().string()}};
    event["reference"] = model.put_object(to_value(reference, staging));
    if (!pool.empty()) event["pool"] = model.put_object(to_value(pool, staging));
    if (!what.scores.is_none()) event["scores"] = model.put_object(what.scores);
    for (const auto& [key, value] : what.summary) event[key] = value;
    model.place_version(what.bundle, version, event);
    Journal(staging).append("init", event, program);
    model.point_to(version);
    step("init: staged");
    rename_durably(staging, final_place);
    step("init: done");
  } catch (...) {
    fs::remove_all(staging, ec);
    throw;
  }
  return Model(root, what.name);
}

}  // namespace vesal::tune
