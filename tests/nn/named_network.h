// Networks by their registered names, for the tests of this folder.
#pragma once
#include <string>

#include "base/registry.h"
#include "nn/network.h"

namespace vesal::nn {

inline NetworkPtr make(const std::string& name, const Dict& arguments) {
  CallArgs args;
  for (const auto& [key, value] : arguments) args.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), args).object<Network>();
}

/// The extents in a list.
inline Shape shape(const Value& list) {
  Shape out;
  for (const Value& v : list.items()) out.push_back(v.as_int());
  return out;
}

}  // namespace vesal::nn
