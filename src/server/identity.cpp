#include "server/identity.h"

#include <array>

#include "base/error.h"

namespace vesal::server {
namespace {
constexpr std::array<std::string_view, 5> kNames{"open", "viewer", "doctor", "engineer", "administrator"};
}

std::string_view name_of(Access role) { return kNames[static_cast<std::size_t>(role)]; }

Access role_of(std::string_view name) {
  for (std::size_t i = 1; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Access>(i);
  throw Error(ErrorKind::usage, "there is no role '" + std::string(name) + "'; roles are viewer, doctor, engineer, administrator");
}

}  // namespace vesal::server
