// A server of its own folder and port, and callers who log in to it over real HTTP.
#pragma once
#include <httplib.h>

#include <memory>
#include <string>

#include "base/json.h"
#include "paths.h"
#include "server/server.h"

namespace vesal::tests {

inline constexpr const char* kPassword = "a long password";

/// A browser, or a program with a token.
class Caller {
 public:
  explicit Caller(int port) : client_(std::make_unique<httplib::Client>("127.0.0.1", port)) { client_->set_read_timeout(120); }
  /// The status; the session is kept if there is one.
  int login(const std::string& user, const std::string& password);
  httplib::Result get(const std::string& path) { return client_->Get(path, headers()); }
  httplib::Result post(const std::string& path, const Value& body = Dict{}) {
    return client_->Post(path, headers(), to_json(body, -1), "application/json");
  }
  httplib::Result patch(const std::string& path, const Value& body) { return client_->Patch(path, headers(), to_json(body, -1), "application/json"); }
  httplib::Result put(const std::string& path, const std::string& bytes) { return client_->Put(path, headers(), bytes, "application/octet-stream"); }
  httplib::Result remove(const std::string& path) { return client_->Delete(path, headers()); }
  /// Uploads one file whole; the upload's identifier.
  std::string upload(const std::string& name, const std::string& bytes);
  httplib::Headers headers() const;

  std::string cookie, csrf, token;

 private:
  std::unique_ptr<httplib::Client> client_;
};

Dict json_of(const httplib::Result& result);

class TestServer {
 public:
  explicit TestServer(std::function<void(server::Settings&)> change = nullptr);
  int port() const { return server_->port(); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  server::Server& operator*() { return *server_; }
  /// The administrator, whose password is no longer the first one.
  Caller& admin() { return *admin_; }
  /// A fresh user of a role, logged in.
  Caller user(const std::string& name, const std::string& role);
  std::string first_password() const { return *server_->first_password(); }
  void stop() { server_.reset(); }

 private:
  TempDir folder_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<Caller> admin_;
};

}  // namespace vesal::tests
