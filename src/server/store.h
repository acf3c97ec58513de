// The folder a server keeps everything in:
//
//   server.sqlite     users, sessions, uploads, jobs, the audit log
//   lock              held by the process that serves
//   uploads/ID/       what was sent, in numbered files
//   jobs/ID/          what was made of it; jobs/ID.part while it is being made
//
// Names that people or files have are rows, never parts of a path.
#pragma once
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <type_traits>

#include "dicom/served_folder.h"
#include "dicom/sqlite.h"

namespace vesal::server {

using dicom::Database;
using dicom::Query;

/// Milliseconds since 1970.
using Time = std::int64_t;
Time now();

/// Thread safe through `mutex`: whoever uses the database holds it.
class Store {
 public:
  /// Makes what is missing. Throws Error(usage) if another process serves the folder, Error(io).
  explicit Store(const std::filesystem::path& folder);

  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path uploads() const { return folder_ / "uploads"; }
  std::filesystem::path jobs() const { return folder_ / "jobs"; }
  /// Words for a caller, to whom the server's folders are nothing: without the path to this one.
  std::string without_paths(std::string words) const;
  /// Bytes that may still be written, with a reserve left for the database.
  std::uint64_t free_bytes() const;

  /// Runs `work` with the database as one transaction.
  template <class Work>
  auto change(Work&& work) {
    const std::lock_guard lock(mutex_);
    if constexpr (std::is_void_v<decltype(work(database_))>) {
      database_.transaction([&] { work(database_); });
    } else {
      decltype(work(database_)) out{};
      database_.transaction([&] { out = work(database_); });
      return out;
    }
  }
  /// Runs `work` with the database for looking.
  template <class Work>
  auto look(Work&& work) {
    const std::lock_guard lock(mutex_);
    return work(database_);
  }

 private:
  dicom::ServedFolder served_;
  std::filesystem::path folder_;
  std::mutex mutex_;
  Database database_;
};

std::filesystem::path database_file(const std::filesystem::path& folder);

}  // namespace vesal::server
