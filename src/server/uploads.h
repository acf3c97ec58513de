// What was sent: files that come in pieces, each to its own numbered file. A piece starts where the file ends, so that an upload that broke off
// goes on there. What a file is called is a row of the database; no name that came over the network is part of a path.
#pragma once
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/route.h"
#include "server/store.h"

namespace vesal::server {

/// Thread safe.
class Uploads {
 public:
  Uploads(Store& store, std::uint64_t most_file, std::uint64_t quota) : store_(store), most_file_(most_file), quota_(quota) {}
  /// `files`: {"path", "size"} each. Returns the identifier. Throws Error(usage) for names that climb, HttpError(413) beyond the limits,
  /// HttpError(507) where the disk would not hold it.
  std::string begin(std::int64_t user, const std::string& name, const std::vector<Value>& files);
  /// Takes the body of a piece of file n from `offset` on. Returns how many bytes are there now. Throws HttpError(409) with {"there"} if the file
  /// ends elsewhere or another piece is coming, HttpError(413) if it grows beyond its size.
  std::uint64_t put(std::int64_t user, const std::string& id, std::int64_t n, std::uint64_t offset, const Request& request);
  /// {"id", "name", "bytes", "complete", "created", "files": [{"n", "path", "size", "there"}]}
  Dict describe(std::int64_t user, const std::string& id);
  std::vector<Dict> list(std::int64_t user);
  /// Throws HttpError(409) naming the first file that is not whole.
  void complete(std::int64_t user, const std::string& id);
  /// With its files. Throws HttpError(409) while jobs are made from it.
  void remove(std::int64_t user, const std::string& id);
  /// What a reader is to open: the file, or the folder of several.
  std::filesystem::path scan_of(const std::string& id);

 private:
  void check_owner(Database& db, std::int64_t user, const std::string& id);
  Store& store_;
  std::uint64_t most_file_, quota_;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::int64_t>> coming_;  ///< under mutex_
};

}  // namespace vesal::server
