// A plain folder of received files, for `vesal dicom fetch`.
#pragma once
#include <atomic>

#include "dicom/object_sink.h"

namespace vesal::dicom {

/// FOLDER/SERIES/SOP.dcm, names from hashes of identifiers as in a store; a file that is there is replaced. Thread safe.
class FolderSink : public ObjectSink {
 public:
  explicit FolderSink(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path incoming() override;
  void keep(const ReceivedObject& object) override;
  std::int64_t kept() const { return kept_; }

 private:
  std::filesystem::path folder_;
  std::atomic<std::uint64_t> serial_{0};
  std::atomic<std::int64_t> kept_{0};
};

}  // namespace vesal::dicom
