#include "infer/dataset.h"

#include <algorithm>
#include <filesystem>

#include "base/registry.h"
#include "bundle/iterate.h"

namespace vesal::infer {
namespace {

using transforms::Compose;

/// As the peer has it, a callable that is no transform of the build may be random too.
bool may_be_random(const Value& transform) {
  if (auto nested = transform.object<Compose>()) {
    for (const Value& t : nested->transforms())
      if (may_be_random(t)) return true;
    return false;
  }
  return transform.object<transforms::Randomizable>() || !transform.object<transforms::Transform>();
}

/// Names of the files in an item as it stands in the data: what has a dot and no line break. At most three.
void collect_names(const Value& v, std::vector<std::string>& names) {
  if (names.size() >= 3) return;
  if (v.is_string()) {
    const std::string name = std::filesystem::path(v.as_string()).filename().string();
    const bool file = name.size() < 200 && name.find('.') != std::string::npos && name.find_first_of("\n\r") == std::string::npos;
    if (file && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  } else if (v.is_dict()) {
    for (const auto& entry : v.as_dict()) collect_names(entry.second, names);
  } else if (v.is_sequence()) {
    for (const Value& value : v.items()) collect_names(value, names);
  }
}

std::shared_ptr<Compose> part(const std::shared_ptr<Compose>& all, std::size_t begin, std::size_t end) {
  const auto& list = all->transforms();
  return std::make_shared<Compose>(
      std::vector<Value>(list.begin() + static_cast<std::ptrdiff_t>(begin), list.begin() + static_cast<std::ptrdiff_t>(end)), all->map_items(),
      all->unpack_items());
}

const Register dataset({
    .kind = "dataset",
    .name = "Dataset",
    .summary = "A list of items and the transforms each goes through when it is asked for",
    .params = {required("data", "list of items, or an object with length and index"),
               optional("transform", nullptr, "a transform or a list of them")},
    .make = [](const Args& args) -> Value { return std::make_shared<Dataset>(args["data"], args["transform"]); },
});

}  // namespace

Dataset::Dataset(const Value& data, const Value& transform) : data_(data) {
  const bool by_number = data.is_sequence() || (data.is_object() && data.as_object()->length());
  if (!by_number) data_ = List{bundle::drain(data)};
  count_ = data_.is_sequence() ? static_cast<std::int64_t>(data_.items().size()) : *data_.as_object()->length();
  all_ = transforms::compose(transform);
  std::size_t first = 0;
  while (first < all_->transforms().size() && !may_be_random(all_->transforms()[first])) ++first;
  fixed_ = part(all_, 0, first);
  random_ = part(all_, first, all_->transforms().size());
}

std::optional<std::int64_t> Dataset::length() const { return count_; }

std::optional<Value> Dataset::index(const Value& key) {
  const std::int64_t i = key.as_int();
  return item(i < 0 ? i + count_ : i);
}

std::optional<Value> Dataset::attribute(std::string_view name) {
  if (name == "data") return data_;
  if (name == "transform") return Value(all_);
  return std::nullopt;
}

Value Dataset::raw(std::int64_t i) const {
  return data_.is_sequence() ? data_.items()[static_cast<std::size_t>(i)] : data_.as_object()->index(i).value_or(Value());
}

Value Dataset::fixed_part(std::int64_t i) { return fixed_->consume(raw(i)); }

std::string Dataset::described(std::int64_t i) const {
  std::vector<std::string> names;
  if (data_.is_sequence()) collect_names(raw(i), names);  // other data may be costly to ask again
  std::string text = "item " + std::to_string(i);
  for (std::size_t k = 0; k < names.size(); ++k) text += (k ? ", " : " (") + names[k];
  return names.empty() ? text : text + ")";
}

Value Dataset::item(std::int64_t i, std::optional<std::uint64_t> seed) {
  if (i < 0 || i >= count_) throw Error(ErrorKind::config, "item " + std::to_string(i) + " of a dataset of " + std::to_string(count_));
  Value value = fixed_part(i);
  if (random_->transforms().empty()) return value;
  std::optional<transforms::RandomScope> scope;
  if (seed) scope.emplace(*seed);
  return random_->consume(std::move(value));
}

}  // namespace vesal::infer
