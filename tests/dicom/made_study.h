// Small studies and a worker for tests of the node.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "dicom/study_worker.h"

namespace vesal::tests {

struct MadeStudy {
  std::string study, series;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> sops;
};

/// A CT series of so many slices of 16 x 16 in `folder`, all identifiers from `name`.
MadeStudy make_study(const std::filesystem::path& folder, const std::string& name, int slices, int size = 16);

/// Copies of files from which the identifiers were taken, with new ones; the pixels stay as they are compressed.
MadeStudy identified_study(const std::filesystem::path& from, const std::filesystem::path& folder, const std::string& name);

/// Chooses the first CT series and writes one secondary capture about it, as a bundle's worker writes its objects: identifiers follow from the order.
class QuickWorker : public dicom::StudyWorker {
 public:
  std::optional<dicom::ChosenSeries> choose(const std::filesystem::path& study, const dicom::Rule& rule, const std::string& series) override;
  std::vector<std::filesystem::path> work(const dicom::WorkOrder& order) override;
  double seconds = 0;  ///< that work() takes
};

}  // namespace vesal::tests
