// What a node does with a complete study: which series of it a rule is for, and the objects that come of that series.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dicom/node_config.h"

namespace vesal::dicom {

struct ChosenSeries {
  std::string series;
  std::vector<std::string> instances;  ///< SOP instances that are part of it, in any order
  std::string why;                     ///< for the log, without patient data
};

struct WorkOrder {
  const Rule& rule;
  std::filesystem::path study;   ///< folder with its files, of all series
  std::string series;            ///< empty: none was usable before; choose again
  std::string digest;            ///< of the instances: the same work has the same, and so must the identifiers of its results
  std::filesystem::path output;  ///< an empty folder
};

/// One thread at a time works, another may choose meanwhile.
class StudyWorker {
 public:
  virtual ~StudyWorker() = default;
  /// Reads headers only. Looks at `series` alone unless it is empty. Nothing if the rule finds nothing for it; throws Error for damaged studies.
  virtual std::optional<ChosenSeries> choose(const std::filesystem::path& study, const Rule& rule, const std::string& series) = 0;
  /// Writes DICOM files below order.output and returns them. Identifiers of the results follow from series, rule, bundle and digest alone. Throws
  /// Error; Error(cancelled) on Ctrl-C.
  virtual std::vector<std::filesystem::path> work(const WorkOrder& order) = 0;
};

}  // namespace vesal::dicom
