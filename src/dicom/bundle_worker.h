// The worker of a real node: bundles on series, results as DICOM objects.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "dicom/study_worker.h"
#include "infer/segmenter.h"

namespace vesal::dicom {

/// A bundle is read, and its network loaded, when the first of its jobs comes; it stays in memory for those that follow. Bundles and kinds of
/// results that are not there are found out at the start.
class BundleWorker : public StudyWorker {
 public:
  /// Throws Error(not_found | usage | config) naming the rule.
  explicit BundleWorker(const std::vector<Rule>& rules);
  std::optional<ChosenSeries> choose(const std::filesystem::path& study, const Rule& rule, const std::string& series) override;
  std::vector<std::filesystem::path> work(const WorkOrder& order) override;

 private:
  struct Resident {
    infer::Segmenter segmenter;
    std::string identity;  ///< of the bundle and its weights: with the source's instances it decides the identifiers of results
  };
  Resident& resident(const Rule& rule);
  std::map<std::filesystem::path, std::unique_ptr<Resident>> residents_;  ///< of the working thread only
};

}  // namespace vesal::dicom
