// The listening end: HTTP or HTTPS by cpp-httplib, which nothing else here sees.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "server/route.h"

namespace vesal::server {

struct Listening {
  std::string host = "127.0.0.1";
  int port = 8080;                                   ///< 0: a free one
  std::filesystem::path certificate = {}, key = {};  ///< PEM; both or none
};

/// Whether an address can be reached from this machine only.
bool is_local(const std::string& host);

class HttpServer {
 public:
  /// Listens, and answers from threads of its own until it goes. Throws Error(io) where the port is taken, Error(format) for certificates that do
  /// not load.
  HttpServer(const Listening& where, std::function<Response(Request&)> answer);
  ~HttpServer();
  int port() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace vesal::server
