// The whole server: what is kept, who works, who answers.
#pragma once
#include <optional>
#include <string>

#include "server/http_server.h"
#include "server/services.h"
#include "server/worker.h"

namespace vesal::server {

class Server {
 public:
  /// Answers when this returns. Throws Error(usage | io | format).
  Server(const Settings& settings, const Listening& where);
  ~Server();
  int port() const { return http_.port(); }
  /// Of the administrator that the first start makes; said once.
  const std::optional<std::string>& first_password() const { return first_password_; }
  Services& services() { return services_; }

 private:
  Services services_;
  std::optional<std::string> first_password_;
  Worker worker_;
  HttpServer http_;  ///< last: nobody asks any more when the rest goes
};

}  // namespace vesal::server
