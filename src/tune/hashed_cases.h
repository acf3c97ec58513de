// Labelled cases with the hashes of their files: what a model was trained and judged on, so that a change is seen.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/value.h"
#include "judge/cases.h"

namespace vesal::tune {

struct HashedCase {
  judge::LabelledCase source;  ///< the label's numbers are the bundle's
  std::string image_sha256, label_sha256;
};

/// Of a file; of a folder (a DICOM series) over the names and hashes of its files.
std::string content_hash(const std::filesystem::path& path);

/// Hashes every file, several at a time; paths become absolute. Throws Error naming a file that is not there.
std::vector<HashedCase> hash_cases(const judge::CaseSet& cases);

/// Labels in the bundle's numbers: with a map each label is rewritten as FOLDER/HASH.nii.gz, without one nothing changes.
void map_labels(std::vector<HashedCase>& cases, const judge::LabelMap& map, const std::filesystem::path& folder);

/// What of these cases is no longer as it was, a line each.
std::vector<std::string> changed_files(const std::vector<HashedCase>& cases);

/// Paths below `folder` are written relative to it, so that the registry may move.
Value to_value(const std::vector<HashedCase>& cases, const std::filesystem::path& folder);
/// Throws Error(format).
std::vector<HashedCase> hashed_cases_of(const Value& value, const std::filesystem::path& folder);

/// As a set for the judge and the tuning; `labels`: classes that the cases were labelled for, whether they occur or not.
judge::CaseSet case_set(const std::vector<HashedCase>& cases, const std::filesystem::path& source,
                        const std::map<std::int64_t, std::string>& labels = {});

}  // namespace vesal::tune
