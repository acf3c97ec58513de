// The local registry: for each model its versions, which of them is the champion, what it was trained and judged on, and every decision.
//
//   REGISTRY/MODEL/journal.jsonl     the truth: every decision, chained by hashes (journal.h)
//                  versions/V/       complete bundles, never changed once the journal names them
//                  objects/HASH.json lists of files and cases, scores: named by their own hash, which the journal holds
//                  labels/           label maps rewritten in the bundle's numbers
//                  champion          link to the champion's bundle, for everything that takes a bundle's folder
//                  months/           increments under way
//
// All else follows from the journal: a crash between two steps leaves the state before or after a decision, never in between.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/value.h"
#include "tune/hashed_cases.h"
#include "tune/journal.h"

namespace vesal::tune {

/// $VESAL_REGISTRY, else $XDG_DATA_HOME/vesal/registry, else ~/.local/share/vesal/registry; throws Error(usage) when none is known.
std::filesystem::path default_registry();

/// Names of models, versions and months become names of files: letters, digits, '.', '_', '-', 100 at most, the first no sign.
/// Throws Error(usage) saying what is wrong; `what` is what it names.
void check_name(const std::string& name, const char* what);

struct VersionInfo {
  std::string version, parent;
  std::string status;      ///< "champion", "former champion", "candidate", "rejected"
  std::string month;       ///< of an increment
  JournalEntry entry;      ///< that registered it
  std::string files;       ///< object: the list of its files with hashes
  std::string scores;      ///< object: its scores on the reference set; empty if there are none
  std::string month_data;  ///< object: the cases of an increment
};

/// What the journal amounts to.
struct ModelState {
  std::vector<JournalEntry> journal;
  std::vector<VersionInfo> versions;  ///< in the order they were registered
  std::vector<std::string> reign;     ///< champions, the present one last
  std::string reference;              ///< object: the frozen reference set
  std::string pool;                   ///< object: the cases the first version came with; empty if there are none

  const std::string& champion() const { return reign.back(); }
  /// Throws Error(not_found) naming those there are.
  const VersionInfo& version(const std::string& name) const;
  const VersionInfo* find(const std::string& name) const;
  /// The version and those it was trained from, newest first.
  std::vector<const VersionInfo*> lineage(const std::string& version) const;
};

/// Throws Error(refused) on a journal without a champion.
ModelState replay(std::vector<JournalEntry> journal);

class Model {
 public:
  /// Throws Error(not_found) naming the nearest models, Error(usage) on a hostile name.
  Model(const std::filesystem::path& registry, const std::string& name);

  const std::string& name() const { return name_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path lock_file() const { return folder_ / "lock"; }
  std::filesystem::path version_folder(const std::string& version) const { return folder_ / "versions" / version; }
  ModelState state() const;
  /// Puts the champion's link right where a crash (or somebody) left it leading elsewhere than the journal says; never throws.
  void heal() const;

  /// An object by its hash; throws Error(refused) if it is not what it was.
  Value object(const std::string& hash) const;
  std::string put_object(const Value& value) const;
  std::vector<HashedCase> cases(const std::string& object_hash) const;
  /// What the champion and those it came from were trained on, as far as the registry knows: each case once.
  std::vector<HashedCase> pool(const ModelState& state) const;

  // Decisions. Each takes the model's lock, and is on the disk when it returns.
  /// Copies a finished bundle as a version and records it; `event` says how it came to be, `champion` whether it takes over.
  /// `expected` is the champion that this was decided against: Error(refused) if another has come in the meantime.
  JournalEntry add_version(const std::filesystem::path& bundle, const std::string& version, const std::string& event, Dict what, bool champion,
                           const std::string& expected, const Program& program) const;
  JournalEntry promote(const std::string& version, const std::string& why, const Program& program) const;
  /// The champion before the present one takes over again.
  JournalEntry rollback(const std::string& why, const Program& program) const;
  /// Something that changes neither versions nor champion.
  JournalEntry record(const std::string& event, const Dict& what, const Program& program) const;

  /// The number after the newest of a version's line: "1.2.3" gives "1.2.4" if that is free.
  static std::string next_version(const ModelState& state, const std::string& parent);

 private:
  friend class Registry;
  explicit Model(std::filesystem::path folder) : folder_(std::move(folder)), name_(folder_.filename().string()) {}
  void place_version(const std::filesystem::path& bundle, const std::string& version, Dict& what) const;
  JournalEntry crown(const std::string& event, const std::string& version, const std::string& why, const ModelState& state,
                     const Program& program) const;
  void point_to(const std::string& champion) const;

  std::filesystem::path folder_;
  std::string name_;
};

struct NewModel {
  std::string name;
  std::filesystem::path bundle;
  std::vector<HashedCase> reference, pool;
  judge::LabelMap reference_map, pool_map;  ///< from the files' labels to the bundle's
  Value scores;                             ///< of the bundle on the reference set; None: not judged
  Dict summary;                             ///< of the scores, for the journal
};

class Registry {
 public:
  explicit Registry(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }
  std::vector<std::string> models() const;
  Model model(const std::string& name) const { return Model(folder_, name); }
  /// All of it or nothing. Throws Error(usage) if there is a model of this name.
  Model create(const NewModel& what, const Program& program) const;

 private:
  std::filesystem::path folder_;
};

struct VerifyReport {
  std::vector<std::string> faults, notes;
  std::int64_t entries = 0;
  std::string head;  ///< hash of the newest entry, to be noted elsewhere
};
/// Journal, objects, versions, champion; with `data` the files of reference and pool too. `noted`: a hash that must be an entry's.
VerifyReport verify(const Model& model, bool data, const std::string& noted = "");

}  // namespace vesal::tune
