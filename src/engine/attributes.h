// Reading a node's parameters.
#pragma once
#include <algorithm>
#include <string>

#include "base/error.h"
#include "engine/graph.h"
#include "kernels/activations.h"

namespace vesal::engine {

inline std::int64_t integer(const Node& node, const std::string& name, std::int64_t fallback) {
  const auto found = node.ints.find(name);
  return found == node.ints.end() || found->second.empty() ? fallback : found->second[0];
}

inline double number(const Node& node, const std::string& name, double fallback) {
  const auto found = node.floats.find(name);
  return found == node.floats.end() || found->second.empty() ? fallback : found->second[0];
}

/// One number per spatial axis (or one for all) as three: axes that the network lacks come first and get `missing`. Throws Error(shape).
inline kernels::Extents per_axis(const Node& node, const std::string& name, std::size_t axes, std::int64_t missing, std::int64_t fallback) {
  kernels::Extents all{missing, missing, missing};
  const auto found = node.ints.find(name);
  const std::vector<std::int64_t> none{fallback}, &list = found == node.ints.end() || found->second.empty() ? none : found->second;
  if (axes > 3 || (list.size() != 1 && list.size() != axes))
    throw Error(ErrorKind::shape, name + " has " + std::to_string(list.size()) + " numbers for " + std::to_string(axes) + " axes");
  for (std::size_t i = 0; i < axes; ++i) all[3 - axes + i] = list.size() == 1 ? list[0] : list[i];
  return all;
}

inline const float* constant(const Node& node, const std::string& name) {
  const auto found = node.constants.find(name);
  return found == node.constants.end() || !found->second.defined() ? nullptr : found->second.data<float>();
}

/// All numbers of a constant; none if the node lacks it.
inline std::vector<float> numbers(const Node& node, const std::string& name) {
  const float* first = constant(node, name);
  return first ? std::vector<float>(first, first + node.constants.at(name).numel()) : std::vector<float>();
}

}  // namespace vesal::engine
