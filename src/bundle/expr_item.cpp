// Subscripts and lengths.
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

std::int64_t place(const Value& key, std::int64_t size, const char* what) {
  if (!key.is_int() && !key.is_bool()) fail(std::string(what) + " indices are integers or slices, not " + key.type_name());
  const std::int64_t i = key.as_int() < 0 ? key.as_int() + size : key.as_int();
  if (i < 0 || i >= size) fail(std::string(what) + " index " + key.repr() + " is outside of 0.." + std::to_string(size - 1));
  return i;
}

Value string_item(const std::string& s, const Value& key) {
  const std::vector<std::string> letters = characters(s);
  spend(static_cast<std::int64_t>(letters.size() / 16));
  const auto slice = key.object<Slice>();
  if (!slice) return letters[static_cast<std::size_t>(place(key, static_cast<std::int64_t>(letters.size()), "string"))];
  const Span span = slice->span(static_cast<std::int64_t>(letters.size()));
  std::string out;
  for (std::int64_t k = 0; k < span.count; ++k) out += letters[static_cast<std::size_t>(span.begin + k * span.step)];
  return out;
}

Value sequence_item(const Value& sequence, const Value& key) {
  const auto& items = sequence.items();
  const auto slice = key.object<Slice>();
  if (!slice) return items[static_cast<std::size_t>(place(key, static_cast<std::int64_t>(items.size()), sequence.is_list() ? "list" : "tuple"))];
  const Span span = slice->span(static_cast<std::int64_t>(items.size()));
  spend(span.count);
  std::vector<Value> out;
  out.reserve(static_cast<std::size_t>(span.count));
  for (std::int64_t k = 0; k < span.count; ++k) out.push_back(items[static_cast<std::size_t>(span.begin + k * span.step)]);
  return sequence.is_list() ? Value(List{std::move(out)}) : Value(Tuple{std::move(out)});
}

}  // namespace

std::vector<std::string> characters(const std::string& s) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < s.size();) {
    std::size_t n = 1;
    while (i + n < s.size() && (static_cast<unsigned char>(s[i + n]) & 0xC0) == 0x80 && n < 4) ++n;
    out.push_back(s.substr(i, n));
    i += n;
  }
  return out;
}

Value item(const Value& container, const Value& key) {
  if (container.is_string()) return string_item(container.as_string(), key);
  if (container.is_sequence()) return sequence_item(container, key);
  if (container.is_dict()) {
    check_hashable(key);
    return container.as_dict().at(key);
  }
  if (is_arrayish(container)) {
    if (key.is_string()) {
      if (const auto image = container.object<image::Image>()) return image->meta.at(key);
    }
    return array_item(container, key);
  }
  if (container.is_object())
    if (auto v = container.as_object()->index(key)) return *v;
  fail(container.type_name() + " has no items");
}

std::int64_t length(const Value& v) {
  if (v.is_string()) {
    std::int64_t n = 0;
    for (const char c : v.as_string()) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return n;
  }
  if (v.is_sequence()) return static_cast<std::int64_t>(v.items().size());
  if (v.is_dict()) return static_cast<std::int64_t>(v.as_dict().size());
  if (is_arrayish(v)) {
    const Shape shape = array_shape(v);
    if (shape.empty()) fail("an array without axes has no length");
    return shape[0];
  }
  if (v.is_object())
    if (auto n = v.as_object()->length()) return *n;
  fail(v.type_name() + " has no length");
}

}  // namespace vesal::bundle::expr
