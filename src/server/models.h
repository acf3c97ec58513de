// The bundles that jobs may name, and those that are in memory.
#pragma once
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "infer/segmenter.h"

namespace vesal::server {

/// Thread safe.
class Models {
 public:
  /// Folders that hold bundles; none: where every command looks for them.
  explicit Models(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}
  /// {"name", "title", "version", "task", "description", "intended_use", "not_for_diagnosis", "license",
  /// "labels": {"1": "spleen"}, "dice"}
  std::vector<Dict> describe() const;
  /// By name; never by path. Throws Error(not_found).
  std::filesystem::path folder(const std::string& name) const;
  /// Read, with its network, when it is first asked for; the two that were asked for last stay.
  std::shared_ptr<const infer::Segmenter> segmenter(const std::string& name);
  /// After an error that may have left a network in the middle of something: the next job reads it again.
  void forget(const std::string& name);

 private:
  std::map<std::string, std::filesystem::path> bundles() const;
  std::vector<std::filesystem::path> roots_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<const infer::Segmenter>>> resident_;  ///< the last first; under mutex_
};

}  // namespace vesal::server
