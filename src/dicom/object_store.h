// The folder in which a node keeps what it has received and made:
//
//   journal.sqlite             journal.h
//   lock                       held by the process that serves
//   incoming/                  what is being received; emptied at the start
//   studies/STUDY/SERIES/SOP.dcm
//   results/JOB/               what a job has made
//
// STUDY, SERIES and SOP are hashes of the identifiers: no text that came over the network is ever part of a path.
#pragma once
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "dicom/journal.h"
#include "dicom/node_config.h"
#include "dicom/object_sink.h"
#include "dicom/served_folder.h"

namespace vesal::dicom {

/// 16 hexadecimal digits (64 bits of SHA-256) that stand for an identifier in names of files and in logs.
std::string name_of_uid(const std::string& uid);
/// Makes sure that a file's bytes, or a folder's entries, are on the disk. Throws Error(io).
void sync_path(const std::filesystem::path& path);

/// Thread safe. The only one of its folder: a second process gets Error(usage).
class ObjectStore : public ObjectSink {
 public:
  /// Makes the folders that are missing and removes what a crash has left half received.
  ObjectStore(const std::filesystem::path& folder, const Limits& limits);

  std::filesystem::path incoming() override;
  /// On the disk under its name, then in the journal. An object that is there already is not replaced: one identifier names one object.
  void keep(const ReceivedObject& object) override;
  void ended(std::uint64_t delivery, bool whole) override;

  std::filesystem::path study_folder(const std::string& study) const;
  /// Of a job: not yet there, or emptied.
  std::filesystem::path fresh_results(std::int64_t job) const;
  /// A path of the journal, and the way back.
  std::filesystem::path path_of(const std::string& relative) const { return folder_ / relative; }
  std::string relative(const std::filesystem::path& path) const { return path.lexically_relative(folder_).string(); }
  /// Removes a study, its results, and its rows but for its jobs.
  void forget(const std::string& study);
  Journal& journal() { return journal_; }

 private:
  ServedFolder served_;
  std::filesystem::path folder_;
  Limits limits_;
  Journal journal_;
  std::atomic<std::int64_t> bytes_{0};  ///< of received objects
  std::atomic<std::uint64_t> serial_{0};
  std::mutex mutex_;
  std::map<std::uint64_t, std::set<std::string>> deliveries_;  ///< which studies they bring; under mutex_
};

/// The journal of a store, for looking and retrying beside the process that serves. Throws Error(not_found).
std::filesystem::path journal_file(const std::filesystem::path& store);

}  // namespace vesal::dicom
