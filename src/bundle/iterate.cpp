#include "bundle/iterate.h"

#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle {
namespace {

/// Goes through anything that gives item i of n.
class Counted : public Iterator {
 public:
  Counted(std::function<std::int64_t()> count, std::function<Value(std::int64_t)> get) : count_(std::move(count)), get_(std::move(get)) {}
  std::optional<Value> next() override {
    if (at_ >= count_()) return std::nullopt;
    return get_(at_++);
  }

 private:
  std::function<std::int64_t()> count_;
  std::function<Value(std::int64_t)> get_;
  std::int64_t at_ = 0;
};

IteratorPtr over(std::vector<Value> items) {
  auto shared = std::make_shared<std::vector<Value>>(std::move(items));
  return std::make_shared<Counted>([shared] { return static_cast<std::int64_t>(shared->size()); },
                                   [shared](std::int64_t i) { return (*shared)[static_cast<std::size_t>(i)]; });
}

}  // namespace

IteratorPtr iterate(const Value& value) {
  if (value.is_sequence())  // through the handle: a list that grows meanwhile is seen to grow
    return std::make_shared<Counted>([value] { return static_cast<std::int64_t>(value.items().size()); },
                                     [value](std::int64_t i) { return value.items()[static_cast<std::size_t>(i)]; });
  if (value.is_dict()) {
    std::vector<Value> keys;
    for (const auto& [key, v] : value.as_dict()) keys.push_back(key);
    return over(std::move(keys));
  }
  if (value.is_string()) {
    std::vector<Value> letters;
    for (std::string& c : expr::characters(value.as_string())) letters.emplace_back(std::move(c));
    return over(std::move(letters));
  }
  if (value.is_object()) {
    const ObjectPtr& object = value.as_object();
    if (auto self = std::dynamic_pointer_cast<Iterator>(object)) return self;
    if (auto* iterable = dynamic_cast<Iterable*>(object.get())) return iterable->iterate();
  }
  if (value.is_array() || value.object<image::Image>()) {
    if (expr::length(value) >= 0)
      return std::make_shared<Counted>([value] { return expr::length(value); }, [value](std::int64_t i) { return expr::item(value, i); });
  }
  if (value.is_object() && value.as_object()->length()) {
    return std::make_shared<Counted>([value] { return expr::length(value); },
                                     [value](std::int64_t i) {
                                       auto v = value.as_object()->index(i);
                                       if (!v) throw Error(ErrorKind::config, value.type_name() + " cannot be gone through");
                                       return *v;
                                     });
  }
  throw Error(ErrorKind::config, value.type_name() + " cannot be gone through");
}

std::vector<Value> drain(const Value& value, std::size_t limit) {
  std::vector<Value> out;
  if (value.is_sequence()) out.reserve(value.items().size());
  const IteratorPtr it = iterate(value);
  while (auto v = it->next()) {
    expr::spend();
    if (out.size() >= limit) throw Error(ErrorKind::refused, "more than " + std::to_string(limit) + " items");
    out.push_back(std::move(*v));
  }
  return out;
}

}  // namespace vesal::bundle
