// The page's files: those built into the program, or those of a folder while the page is being developed.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "server/route.h"

namespace vesal::server {

class Page {
 public:
  /// Empty: the files built in, if this build has them.
  explicit Page(std::filesystem::path folder);
  /// A file, or index.html for paths that name none, as the page has addresses of its own. Throws Error(not_found).
  Response respond(const Request& request);

 private:
  struct File {
    std::string content, gzip, type, etag;  ///< gzip: empty where it saves nothing
  };
  std::shared_ptr<const File> find(const std::string& name);
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const File>> files_;  ///< built in, as they are asked for; under mutex_
};

/// The bytes as a gzip member.
std::string gzipped(std::string_view bytes);

}  // namespace vesal::server
