// Who calls, and what roles may do.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace vesal::server {

/// Each may do what those before it may. Viewers look at what is theirs or shared, doctors send scans and correct masks, engineers train, and
/// administrators keep users and the audit log. No role sees the studies of others.
enum class Access { open, viewer, doctor, engineer, administrator };

std::string_view name_of(Access role);
/// Throws Error(usage) naming the roles; "open" is none.
Access role_of(std::string_view name);

struct Identity {
  std::int64_t user = 0;  ///< 0: nobody
  std::string name;
  Access role = Access::open;
  bool must_change = false;  ///< has a one-time password
  bool by_cookie = false;    ///< then changes need the CSRF token
  std::string session;       ///< hash of the session's identifier
  std::string csrf;
};

}  // namespace vesal::server
