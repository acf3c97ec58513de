// The folder of an increment under way: what is done is kept, so that the same command goes on after a crash.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "tune/acceptance.h"
#include "tune/journal.h"
#include "tune/registry.h"

namespace vesal::tune {

/// Scores with what they hang on: the bundle, the cases and the program.
struct KeyedScores {
  SetScores scores;
  std::string bundle_sha256, cases_sha256, program_sha256;
  judge::Interval interval;  ///< of the mean over cases
};
Value to_value(const KeyedScores& scores);
KeyedScores keyed_scores_of(const Value& value);  ///< throws Error(format)

/// Judges a bundle on cases.
KeyedScores judge_bundle(const std::filesystem::path& bundle, const std::vector<HashedCase>& cases, const std::map<std::int64_t, std::string>& labels,
                         const std::string& device, const Program& program);
/// What scores of this bundle, these cases and this program hang on, without judging.
KeyedScores keys_of(const std::filesystem::path& bundle, const std::vector<HashedCase>& cases, const Program& program);
bool same_keys(const KeyedScores& a, const KeyedScores& b);

class Stage {
 public:
  Stage(const Model& model, const std::string& month, const std::string& fingerprint);
  const std::filesystem::path& folder() const { return folder_; }
  /// The scores kept as NAME.json if they are of the same bundle, cases and program; else judges and keeps them.
  SetScores scores(const std::string& name, const std::filesystem::path& bundle, const std::vector<HashedCase>& cases,
                   const std::map<std::int64_t, std::string>& labels, const std::string& device, const Program& program) const;
  /// Removes this stage and others of the same month.
  void clear() const;

 private:
  std::filesystem::path folder_;
  std::string month_;
};

}  // namespace vesal::tune
