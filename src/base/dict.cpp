// Dict: entries in their order, and beside them a hash table of where each key is.
#include <bit>
#include <cmath>
#include <functional>

#include "base/value.h"

namespace vesal {
namespace {

constexpr std::size_t kFew = 8;  // up to here looking at every key is quicker

std::size_t mixed(std::size_t h) {
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15ull;
  return h ^ (h >> 29);
}

}  // namespace

std::size_t Value::hash() const {
  if (is_string()) return std::hash<std::string>{}(as_string());
  if (is_float()) {
    const double v = as_float();  // 1.0 is the key 1
    if (!(std::fabs(v) < 9e15 && v == std::floor(v))) return mixed(std::bit_cast<std::uint64_t>(v));
    return mixed(static_cast<std::size_t>(static_cast<std::int64_t>(v)));
  }
  if (is_number()) {
    const std::int64_t v = as_int();  // beyond 2^53 an int may equal a float that is not quite it
    return v > -9'000'000'000'000'000 && v < 9'000'000'000'000'000 ? mixed(static_cast<std::size_t>(v))
                                                                   : mixed(std::bit_cast<std::uint64_t>(static_cast<double>(v)));
  }
  if (is_object()) return std::hash<const void*>{}(as_object().get());
  if (is_array()) return std::hash<const void*>{}(as_array().raw());
  if (is_dtype()) return static_cast<std::size_t>(as_dtype());
  if (is_dict()) return as_dict().size();
  std::size_t h = v_.index();
  if (is_sequence())
    for (const Value& item : items()) h = mixed(h * 31 + (item.is_sequence() ? item.items().size() : item.hash()));
  return h;
}

Dict::Dict(std::initializer_list<std::pair<Value, Value>> entries) {
  entries_.reserve(entries.size());
  for (const auto& [key, value] : entries) (*this)[key] = value;
}

std::optional<std::size_t> Dict::index_of(const Value& key) const {
  if (slots_.empty()) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].first == key) return i;
    return std::nullopt;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = mixed(key.hash()) & mask; slots_[at] != 0; at = (at + 1) & mask)
    if (entries_[slots_[at] - 1].first == key) return slots_[at] - 1;
  return std::nullopt;
}

/// Puts the newest entry into the table, which stays at most half full.
void Dict::index_last() {
  if (entries_.size() <= kFew) return;
  if (entries_.size() * 2 > slots_.size()) return rebuild_index();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = mixed(entries_.back().first.hash()) & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
}

void Dict::rebuild_index() {
  slots_.clear();
  if (entries_.size() <= kFew) return;
  if (entries_.size() >= 0x40000000u) throw Error(ErrorKind::memory, "a dict of " + std::to_string(entries_.size()) + " keys");
  slots_.resize(std::bit_ceil(entries_.size() * 4));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = mixed(entries_[i].first.hash()) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

const Value* Dict::find(const Value& key) const {
  const auto i = index_of(key);
  return i ? &entries_[*i].second : nullptr;
}

Value* Dict::find(const Value& key) {
  const auto i = index_of(key);
  return i ? &entries_[*i].second : nullptr;
}

const Value& Dict::at(const Value& key) const {
  if (const Value* v = find(key)) return *v;
  std::string known;
  for (const auto& [k, v] : entries_) {
    known += (known.empty() ? "" : ", ") + k.repr();
    if (known.size() > 200) {
      known += ", ...";
      break;
    }
  }
  throw Error(ErrorKind::config, "no key " + key.repr() + "; there are: " + (known.empty() ? "none" : known));
}
Value& Dict::operator[](const Value& key) {
  if (Value* v = find(key)) return *v;
  entries_.emplace_back(key, Value());
  index_last();
  return entries_.back().second;
}

bool Dict::erase(const Value& key) {
  const auto i = index_of(key);
  if (!i) return false;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(*i));
  rebuild_index();
  return true;
}

}  // namespace vesal
