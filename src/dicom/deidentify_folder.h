// Folders of DICOM objects without the people's names.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dicom/deidentify.h"

namespace vesal::dicom {

struct DeidentifiedFolder {
  std::size_t written = 0, studies = 0;
  std::size_t others = 0;                         ///< files that are no DICOM objects
  std::map<std::string, std::size_t> left_out;    ///< reasons, with numbers of objects
  std::vector<std::string> damaged;               ///< errors, each with its file's name in front
  std::map<std::string, std::size_t> leaks;       ///< as Deidentifier::leaks()
  std::map<std::string, std::size_t> pseudonyms;  ///< objects of each patient
};

/// All objects of a folder, a zip archive, a DICOMDIR or one file into OUT/PSEUDONYM/STUDY/SERIES/INSTANCE.dcm, in the transfer syntax they had;
/// folders and files are named after the new identifiers. The file of pseudonyms is written before the first object of a new patient is. Throws
/// Error(not_found | io | refused | cancelled); refused: OUT lies in the input, or the pseudonyms would lie in OUT.
DeidentifiedFolder deidentify_folder(const std::filesystem::path& in, const std::filesystem::path& out, const std::filesystem::path& pseudonyms,
                                     const DeidentifyOptions& options);

}  // namespace vesal::dicom
