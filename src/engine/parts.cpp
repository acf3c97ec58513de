#include "engine/parts.h"

#include <map>

#include "base/plugin.h"

namespace vesal::engine {
namespace {

std::map<std::string, NetworkParts>& table() {
  static std::map<std::string, NetworkParts> parts;
  return parts;
}

}  // namespace

RegisterParts::RegisterParts(std::string network, NetworkParts parts) { table()[std::move(network)] = std::move(parts); }

const NetworkParts* find_parts(const std::string& network) {
  plugin::networks().load();
  const auto found = table().find(network);
  return found == table().end() ? nullptr : &found->second;
}

}  // namespace vesal::engine
