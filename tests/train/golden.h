// Golden JSON files: {"arrays": {name: {shape, values}}, "cases": [...]}.
#pragma once
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "paths.h"

namespace vesal::train {

struct Golden {
  explicit Golden(const std::string& file) : root(parse_json(read_text(tests::data("train/data/" + file)))) {
    for (const auto& [name, entry] : root.as_dict().at("arrays").as_dict())
      arrays[name.as_string()] = Array::from(std::span<const float>(floats(entry.as_dict().at("values"))), shape(entry.as_dict().at("shape")));
  }
  const std::vector<Value>& cases() const { return root.as_dict().at("cases").items(); }
  const Array& array(const Value& name) const { return arrays.at(name.as_string()); }

  /// None counts as NaN, "inf" as infinite.
  static std::vector<float> floats(const Value& list) {
    using Limits = std::numeric_limits<float>;
    std::vector<float> out;
    for (const Value& v : list.items())
      out.push_back(v.is_none() ? Limits::quiet_NaN() : v.is_string() ? Limits::infinity() : static_cast<float>(v.as_float()));
    return out;
  }
  static Shape shape(const Value& list) {
    Shape out;
    for (const Value& v : list.items()) out.push_back(v.as_int());
    return out;
  }

  Value root;
  std::map<std::string, Array> arrays;
};

/// A component with named arguments.
inline Value make(const std::string& name, const Dict& arguments) {
  CallArgs args;
  for (const auto& [key, value] : arguments) args.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), args);
}

/// The message of the error that work throws, or "nothing thrown".
inline std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "nothing thrown";
}

}  // namespace vesal::train
