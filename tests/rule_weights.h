// Weights by rule, so that tests need no committed weights: the numbers of tests/rule_weights.py, which says what the rule is.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/array.h"
#include "bundle/state.h"

namespace vesal::tests {

/// r in [-1, 1) for elements 0..count-1 of the tensor called `name`.
inline std::vector<double> rule_numbers(const std::string& name, std::int64_t count, std::uint32_t salt = 0) {
  std::uint32_t seed = 2166136261u;
  for (unsigned char byte : name) seed = (seed ^ byte) * 16777619u;
  std::vector<double> r(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < r.size(); ++i) {
    std::uint32_t x = (seed ^ salt) + static_cast<std::uint32_t>(i) * 0x9E3779B9u;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    x ^= x >> 16;
    r[i] = (x >> 8) / 8388608.0 - 1;
  }
  return r;
}

inline Array rule_tensor(const std::string& name, const Shape& shape, bool integer = false, std::uint32_t salt = 0) {
  if (integer) return Array::full(shape, DType::i64, 1);
  Array out = Array::empty(shape, DType::f32);
  const std::vector<double> r = rule_numbers(name, out.numel(), salt);
  const std::string last = name.substr(name.rfind('.') + 1);
  double base = 0, scale = 0.1;  // bias, running_mean
  if (last == "running_var") base = 1, scale = 0.2;
  else if (last != "bias" && last != "running_mean") {
    if (shape.size() > 1) scale = std::sqrt(6.0 / static_cast<double>(out.numel() / shape[0]));
    else if (out.numel() == 1) base = 0.25;
    else base = 1, scale = 0.2;
  }
  for (std::int64_t i = 0; i < out.numel(); ++i) out.data<float>()[i] = static_cast<float>(base + scale * r[static_cast<std::size_t>(i)]);
  return out;
}

/// Sets every parameter and buffer by the rule.
inline void fill_by_rule(bundle::Stateful& network, std::uint32_t salt = 0) {
  bundle::StateDict state = network.state_dict();
  for (auto& [name, array] : state) array = rule_tensor(name, array.shape(), !is_floating(array.dtype()), salt);
  network.load_state_dict(state, true);
}

/// An input in [-1, 1), float32.
inline Array rule_input(const Shape& shape, const std::string& name = "input", std::uint32_t salt = 0) {
  Array out = Array::empty(shape, DType::f32);
  const std::vector<double> r = rule_numbers(name, out.numel(), salt);
  for (std::int64_t i = 0; i < out.numel(); ++i) out.data<float>()[i] = static_cast<float>(r[static_cast<std::size_t>(i)]);
  return out;
}

}  // namespace vesal::tests
