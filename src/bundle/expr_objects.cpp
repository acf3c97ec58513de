// Sets, ranges, slices, modules, and what a dotted path and a call mean.
#include <algorithm>

#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

/// `Iterator` over a vector it owns.
class Over : public Iterator {
 public:
  explicit Over(std::vector<Value> items) : items_(std::move(items)) {}
  std::optional<Value> next() override {
    if (at_ >= items_.size()) return std::nullopt;
    return items_[at_++];
  }

 private:
  std::vector<Value> items_;
  std::size_t at_ = 0;
};

class RangeIterator : public Iterator {
 public:
  explicit RangeIterator(const Range& range) : range_(range) {}
  std::optional<Value> next() override {
    if (at_ >= *range_.length()) return std::nullopt;
    return range_.at(at_++);
  }

 private:
  Range range_;
  std::int64_t at_ = 0;
};

/// A component before its arguments are known: monai.transforms.LoadImage.
class ComponentClass : public Object {
 public:
  explicit ComponentClass(const Component& component) : component_(component) {}
  std::string type_name() const override { return "type"; }
  std::string repr() const override { return "<class '" + component_.name + "'>"; }
  Value call(const CallArgs& args) override {
    return with_context(component_.name, [&] { return construct(component_, args); });
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name == "__name__") return Value(component_.name);
    return std::nullopt;
  }

 private:
  const Component& component_;
};

}  // namespace

void check_hashable(const Value& v) {
  if (v.is_list() || v.is_dict() || v.object<Set>()) fail(v.type_name() + " cannot be a key or a member of a set");
  if (!v.is_tuple()) return;
  const Deeper level;
  for (const Value& item : v.items()) check_hashable(item);
}

void Set::add(const Value& v) {
  check_hashable(v);
  spend();
  members_[v] = Value();
}
std::vector<Value> Set::members() const {
  std::vector<Value> out;
  bool numbers = true;
  for (const auto& [v, none] : members_) {
    numbers = numbers && v.is_number();
    out.push_back(v);
  }
  if (numbers) std::sort(out.begin(), out.end(), [](const Value& a, const Value& b) { return a.as_float() < b.as_float(); });
  return out;
}
std::string Set::repr() const {
  std::string s;
  for (const Value& v : members()) s += (s.empty() ? "{" : ", ") + v.repr();
  return s.empty() ? "set()" : s + "}";
}
IteratorPtr Set::iterate() { return std::make_shared<Over>(members()); }

std::optional<Value> Set::attribute(std::string_view name) {
  auto self = std::static_pointer_cast<Set>(shared_from_this());
  for (const auto& [method, op] : {std::pair{"union", "|"}, {"intersection", "&"}, {"difference", "-"}, {"symmetric_difference", "^"}})
    if (name == method)
      return make_function("set." + std::string(name), [self, op = op](const CallArgs& args) {
        Value result = self;
        for (const Value& other : args.positional) {
          auto set = std::make_shared<Set>();
          for (const Value& v : drain(other)) set->add(v);
          result = binary(op, result, set);
        }
        return result;
      });
  for (const auto& [method, op] : {std::pair{"issubset", "<="}, {"issuperset", ">="}})
    if (name == method)
      return make_function("set." + std::string(name), [self, op = op](const CallArgs& args) {
        if (args.positional.size() != 1) fail("one collection is wanted");
        auto set = std::make_shared<Set>();
        for (const Value& v : drain(args.positional[0])) set->add(v);
        return compare(op, self, set);
      });
  return std::nullopt;
}

Range::Range(std::int64_t begin, std::int64_t end, std::int64_t step) : begin_(begin), end_(end), step_(step), count_(0) {
  if (step == 0) fail("range(): step is 0");
  // In unsigned arithmetic, so that extremes do not overflow.
  const std::uint64_t width = static_cast<std::uint64_t>(step > 0 ? end : begin) - static_cast<std::uint64_t>(step > 0 ? begin : end);
  const std::uint64_t stride = step > 0 ? static_cast<std::uint64_t>(step) : -static_cast<std::uint64_t>(step);
  if (step > 0 ? begin < end : begin > end) {
    const std::uint64_t count = (width - 1) / stride + 1;
    if (count > static_cast<std::uint64_t>(INT64_MAX)) fail("range() too long");
    count_ = static_cast<std::int64_t>(count);
  }
}
std::string Range::repr() const {
  return "range(" + std::to_string(begin_) + ", " + std::to_string(end_) + (step_ == 1 ? "" : ", " + std::to_string(step_)) + ")";
}
std::optional<Value> Range::index(const Value& key) {
  if (const auto slice = key.object<Slice>()) {
    const Span s = slice->span(count_);
    if (s.count == 0) return std::make_shared<Range>(0, 0, 1);
    const std::int64_t step = s.step * step_, first = at(s.begin);
    return std::make_shared<Range>(first, first + s.count * step, step);
  }
  const std::int64_t i = key.as_int() < 0 ? key.as_int() + count_ : key.as_int();
  if (i < 0 || i >= count_) fail("index " + key.repr() + " is outside of " + repr());
  return at(i);
}
IteratorPtr Range::iterate() { return std::make_shared<RangeIterator>(*this); }

Span Slice::span(std::int64_t size) const {
  const std::int64_t step = step_.is_none() ? 1 : step_.as_int();
  if (step == 0) fail("slice step 0");
  if (step == INT64_MIN) fail("slice step too large");
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  auto place = [&](const Value& v, std::int64_t fallback) {
    if (v.is_none()) return fallback;
    const std::int64_t i = v.as_int();
    return std::clamp(i < 0 ? i + size : i, low, high);
  };
  const std::int64_t begin = place(begin_, step > 0 ? low : high), end = place(end_, step > 0 ? high : low);
  const std::int64_t distance = step > 0 ? end - begin : begin - end, stride = step > 0 ? step : -step;
  return {begin, step, distance > 0 ? (distance - 1) / stride + 1 : 0};
}

bool Module::known() const { return allowed::is_prefix(path_); }

void Module::set_attribute(std::string_view name, const Value& value) {
  const std::string flag = path_ + "." + std::string(name);
  if (!path_.starts_with("torch.backends.") || !allowed::find(flag)) throw Error(ErrorKind::refused, flag + " cannot be set");
  allowed::add(flag, value);
}

Value component_value(const Component& component) { return std::make_shared<ComponentClass>(component); }

Value lookup(const std::string& path) {
  if (const Value* v = allowed::find(path)) return *v;
  if (const Component* component = components::find(path)) return component_value(*component);
  return std::make_shared<Module>(path);
}

void check_known(const Value& v) {
  const auto module = v.object<Module>();
  if (!module || module->known() || module->path() == "monai" || module->path() == "torch") return;
  const std::string& path = module->path();
  const bool own = path == "scripts" || path.starts_with("scripts.");
  const bool package = path.starts_with("monai.") || path.starts_with("torch.") || path.starts_with("ignite.");
  throw Error(ErrorKind::refused, "'" + path + "' is " +
                                      (own       ? "Python code of the bundle, which is never run"
                                       : package ? "neither a component of this build nor on the allow-list"
                                                 : "not on the allow-list"));
}

Value attribute(const Value& object, const std::string& name) {
  if (const auto module = object.object<Module>()) return lookup(module->path() + "." + name);
  if (name.starts_with("__") && name != "__name__") throw Error(ErrorKind::refused, "attribute '" + name + "' is not allowed in an expression");
  std::optional<Value> found;
  if (object.is_string()) found = string_method(object.as_string(), name);
  else if (object.is_list() || object.is_tuple()) found = list_method(object, name);
  else if (object.is_dict()) found = dict_method(object, name);
  else if (object.is_array()) found = array_attribute(object, name);
  else if (object.is_object()) {
    found = object.as_object()->attribute(name);
    if (!found && object.object<image::Image>()) found = array_attribute(object, name);
  } else if (object.is_float() && name == "is_integer") {
    const double v = object.as_float();
    found = make_function("float.is_integer", [v](const CallArgs&) { return Value(v == static_cast<double>(static_cast<std::int64_t>(v))); });
  }
  if (!found) fail(object.type_name() + " has no attribute '" + name + "'");
  return *found;
}

Value call(const Value& callee, const CallArgs& args) {
  if (callee.is_dtype()) {  // numpy.float32(3)
    if (args.positional.size() != 1 || !args.named.empty()) fail("a dtype takes one value");
    const Value& v = args.positional[0];
    if (v.is_array()) return v.as_array().to(callee.as_dtype());
    if (callee.as_dtype() == DType::boolean) return truth(v);
    if (is_floating(callee.as_dtype())) return Array::full({1}, callee.as_dtype(), v.as_float()).item();
    return static_cast<std::int64_t>(Array::full({1}, callee.as_dtype(), v.as_float()).item());
  }
  if (const auto module = callee.object<Module>()) {
    check_known(callee);
    fail("module '" + module->path() + "' cannot be called");
  }
  if (callee.object<Function>()) return call_value(callee, args);
  const Unbounded room;
  return call_value(callee, args);
}

}  // namespace vesal::bundle::expr
