// The files of a job that is done: the mask as it was written, and what is made of it when somebody asks for it, once.
#pragma once
#include <filesystem>
#include <string>

#include "server/services.h"

namespace vesal::server {

/// Each throws Error(not_found) for jobs the user may not see, HttpError(409) for those that are not done, and what making a file throws.
class JobFiles {
 public:
  JobFiles(Services& services, std::int64_t user, const std::string& job, bool own = false);
  const JobRow& job() const { return job_; }
  std::filesystem::path mask() const { return folder_ / "mask.nii.gz"; }
  std::filesystem::path scan();     ///< NIfTI, as the viewer wants it
  std::filesystem::path preview();  ///< PNG
  /// Of a kind of results::result_kinds(); not those that have a file for each class. Throws Error(usage | not_found | unsupported).
  std::filesystem::path result(const std::string& kind);
  std::filesystem::path correction() const { return folder_ / "correction.nii.gz"; }
  /// Checks an uploaded mask (NIfTI-1, this grid, whole numbers from 0 on) and keeps it. Throws Error(format | geometry | shape).
  void correct(const std::filesystem::path& sent);

 private:
  std::filesystem::path input() const;
  Services& services_;
  JobRow job_;
  std::filesystem::path folder_;
};

}  // namespace vesal::server
