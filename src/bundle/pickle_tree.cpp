#include "bundle/pickle_tree.h"

#include <algorithm>

namespace vesal::bundle {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::uint64_t kMaxValues = 8'000'000;

bool is_container(const Value& v) { return v.is_sequence() || v.is_dict(); }
const void* identity(const Value& v) { return v.is_dict() ? static_cast<const void*>(&v.as_dict()) : &v.items(); }

}  // namespace

void PickleTree::made(const Value& container) {
  if (is_container(container)) made_.push_back(container);
}

PickleTree::~PickleTree() {
  for (Value& v : made_) {
    if (checked_ && seen_.contains(identity(v))) continue;
    if (v.is_list()) v.mutable_items().clear();
    else if (v.is_dict()) v.mutable_dict() = Dict();
  }
  // A tuple holds only what is older, so that the youngest goes first and nothing falls in a chain.
  while (!made_.empty()) made_.pop_back();
}

void PickleTree::check(const Value& result) {
  measure(result, 0);
  checked_ = true;
}

PickleTree::Extent PickleTree::measure(const Value& v, int depth) {
  if (v.is_object()) throw Error(ErrorKind::refused, "pickle: holds the " + v.type_name() + ", not data");
  if (!is_container(v)) return {0, 1};
  const auto [place, fresh] = seen_.try_emplace(identity(v));
  if (!fresh) {
    if (place->second.height < 0) throw Error(ErrorKind::format, "pickle: a " + v.type_name() + " holds itself");
    if (depth + place->second.height > kMaxDepth) throw Error(ErrorKind::format, "pickle: nested deeper than " + std::to_string(kMaxDepth));
    return place->second;
  }
  if (depth >= kMaxDepth) throw Error(ErrorKind::format, "pickle: nested deeper than " + std::to_string(kMaxDepth));
  Extent extent{1, 1};
  const auto add = [&](const Value& part) {
    const Extent inner = measure(part, depth + 1);
    extent.height = std::max(extent.height, inner.height + 1);
    if ((extent.values += inner.values) > kMaxValues)
      throw Error(ErrorKind::format, "pickle: more than " + std::to_string(kMaxValues) + " values when written out");
  };
  if (v.is_dict()) {
    for (const auto& [key, value] : v.as_dict()) add(value);
  } else {
    for (const Value& item : v.items()) add(item);
  }
  return seen_[identity(v)] = extent;
}

}  // namespace vesal::bundle
