// The journal of a model: what was decided, by whom, with what; each entry holds the hash of the one before, so that none can be changed,
// taken out or put in between without it being seen.
//
// A file of JSON lines. An entry counts once its line end is on the disk; what a crash left of a line is cut off by the next writer.
// Beside it, journal.head holds the number and hash of the newest entry, so that entries missing at the end are seen too.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/value.h"

namespace vesal::tune {

struct JournalEntry {
  std::int64_t number = 0;  ///< from 1
  std::string hash;         ///< SHA-256 of its line
  Value value;              ///< a dict: "entry", "previous", "time", "who", "program", "event" and what belongs to the event
  std::string event() const;
  std::string text(const char* key) const;  ///< "" where there is none
};

/// The program that decides.
struct Program {
  std::string version, sha256;
};
/// This program: the hash of its executable is taken once.
Program this_program(const std::string& version);
/// The user's name, else the number.
std::string user_name();
/// "2026-11-24T10:45:38Z"
std::string utc_time();

class Journal {
 public:
  explicit Journal(const std::filesystem::path& folder) : file_(folder / "journal.jsonl"), head_(folder / "journal.head") {}

  /// All entries. Throws Error(refused) saying which entry was tampered with; Error(not_found | io).
  std::vector<JournalEntry> read() const;
  /// What is wrong with it, a line each; the entries up to the first fault.
  std::vector<std::string> faults(std::vector<JournalEntry>& entries) const;
  /// Adds an entry; the caller holds the model's lock. On the disk when it returns; nothing is left of it if it throws.
  JournalEntry append(const std::string& event, const Dict& what, const Program& program);

 private:
  std::filesystem::path file_, head_;
};

}  // namespace vesal::tune
