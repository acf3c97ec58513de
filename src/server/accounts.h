// Users with their passwords, sessions and API tokens. Only hashes of secrets are stored; a copy of the database opens no door.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "server/identity.h"
#include "server/limiter.h"
#include "server/store.h"

namespace vesal::server {

struct Session {
  std::string cookie;  ///< 256 random bits
  Identity who;
};

/// Thread safe.
class Accounts {
 public:
  explicit Accounts(Store& store) : store_(store) {}
  /// In a store without users: makes the administrator "admin" and returns a password that has to be changed. Nothing otherwise.
  std::optional<std::string> first_password();

  /// A fresh session, whatever the caller had before. Throws HttpError(401) without telling which of both was wrong, HttpError(429) after ten
  /// failures of this user or thirty of this address.
  Session login(const std::string& user, const std::string& password, const std::string& peer);
  void logout(const Identity& who);
  /// Who holds a cookie or an API token; nobody (user 0) for those that are not known. Throws HttpError(429) where somebody guesses.
  Identity by_cookie(const std::string& cookie, const std::string& peer);
  Identity by_token(const std::string& token, const std::string& peer);
  /// Ends the user's other sessions. Throws HttpError(403) if `old` is wrong, Error(usage) if the new one is weak.
  void change_password(const Identity& who, const std::string& old, const std::string& wanted);

  std::vector<Dict> users();
  /// Returns the user, with the one-time password. Throws Error(usage) on names that are no names, HttpError(409) if there is one.
  Dict add_user(const std::string& name, Access role);
  /// Of role, disabled and a new one-time password what is given. The last administrator stays one. Throws Error(not_found), HttpError(409).
  Dict change_user(std::int64_t id, std::optional<Access> role, std::optional<bool> disabled, bool new_password);

  /// The token itself is only in what this returns.
  Dict add_token(const Identity& who, const std::string& name);
  std::vector<Dict> tokens(const Identity& who);
  void remove_token(const Identity& who, std::int64_t id);

 private:
  std::int64_t checked_user(const std::string& user, const std::string& password);
  Store& store_;
  Limiter by_user_{10, std::chrono::seconds(300)}, by_peer_{30, std::chrono::seconds(300)};
};

}  // namespace vesal::server
