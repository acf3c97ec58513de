#include "transforms/extents.h"

namespace vesal::transforms {
namespace {

/// None counts as -1.
std::vector<std::int64_t> integers(const Value& value, const std::string& name) {
  return with_context(name, [&] {
    std::vector<std::int64_t> out;
    if (value.is_array()) {
      const Array a = value.as_array().to(DType::i64);
      out.assign(a.data<std::int64_t>(), a.data<std::int64_t>() + a.numel());
    } else {
      for (const auto& n : cast<std::vector<std::optional<std::int64_t>>>(value)) out.push_back(n.value_or(-1));
    }
    return out;
  });
}

}  // namespace

std::vector<std::int64_t> per_axis(const Value& value, std::size_t rank, const std::string& name) {
  std::vector<std::int64_t> given = integers(value, name);
  if (!value.is_sequence() && given.size() == 1) given.assign(rank, given[0]);
  if (given.size() != rank)
    throw Error(ErrorKind::config, name + " has " + std::to_string(given.size()) + " entries for " + std::to_string(rank) + " spatial axes");
  return given;
}

Shape extents_or(const Value& value, const Shape& defaults, const std::string& name) {
  Shape out = per_axis(value, defaults.size(), name);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] <= 0) out[i] = defaults[i];
  return out;
}

Shape divisible(const Shape& shape, const Value& k) {
  Shape out = extents_or(k, Shape(shape.size(), 1), "k");
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (shape[i] + out[i] - 1) / out[i] * out[i];
  return out;
}

}  // namespace vesal::transforms
