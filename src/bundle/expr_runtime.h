// What Python's operators, subscripts, attributes and methods do to Values; shared by the evaluator and the allow-list.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "base/value.h"
#include "bundle/iterate.h"

namespace vesal::bundle::expr {

/// What one evaluation may use. The first evaluate() on a thread opens it; what is called from inside shares it.
class Budget {
 public:
  Budget();
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

 private:
  bool outermost_;
};
/// Lets a component of the build (a trainer, a transform) work for as long as it needs inside an expression.
class Unbounded {
 public:
  Unbounded();
  ~Unbounded();
  Unbounded(const Unbounded&) = delete;
  Unbounded& operator=(const Unbounded&) = delete;

 private:
  bool open_;
  std::int64_t steps_, bytes_;
};
/// Spends steps; throws Error(refused) when the evaluation has taken too many. Looks at Ctrl-C.
void spend(std::int64_t steps = 1);
/// Spends memory for arrays; throws Error(memory).
void spend_bytes(std::int64_t bytes);
/// One level of recursion; throws Error(refused) when there are too many.
class Deeper {
 public:
  Deeper();
  ~Deeper();
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

/// Longest string (bytes) and list (items) that an operator or method makes.
inline constexpr std::int64_t kMaxString = 1 << 24, kMaxItems = 1 << 20;

/// A Python error: "TypeError: ..." and the like are not told apart.
[[noreturn]] void fail(const std::string& why);

Value binary(std::string_view op, const Value& a, const Value& b);   ///< + - * / // % ** << >> & | ^
Value unary(std::string_view op, const Value& a);                    ///< - + ~
Value compare(std::string_view op, const Value& a, const Value& b);  ///< == != < <= > >= in, not in, is, is not
bool equal(const Value& a, const Value& b);                          ///< ==, as a bool; sets by content
bool less(const Value& a, const Value& b);                           ///< for sorting; throws if there is no order
bool truth(const Value& v);
bool contains(const Value& container, const Value& item);
Value item(const Value& container, const Value& key);  ///< container[key]
std::int64_t length(const Value& v);                   ///< len(v)
/// object.name; underscore-underscore names are refused.
Value attribute(const Value& object, const std::string& name);
/// callee(...): functions, lambdas, components, dtypes as casts.
Value call(const Value& callee, const CallArgs& args);
/// format(value, spec), and "..." % value.
std::string format_value(const Value& v, const std::string& spec);
std::string percent_format(const std::string& pattern, const Value& values);
/// "...".format(*args, **kwargs)
std::string format_fields(const std::string& pattern, const CallArgs& args);

// Methods by type; nothing if there is no such one.
std::optional<Value> string_method(const std::string& s, const std::string& name);
std::optional<Value> list_method(const Value& list, const std::string& name);
std::optional<Value> dict_method(const Value& dict, const std::string& name);
std::optional<Value> array_attribute(const Value& array, const std::string& name);

/// Characters (code points) of UTF-8 text.
std::vector<std::string> characters(const std::string& s);

/// Begin, end and step of a slice of `size` items, resolved as Python does; count items are taken.
struct Span {
  std::int64_t begin, step, count;
};
class Slice : public Object {
 public:
  Slice(Value begin, Value end, Value step) : begin_(std::move(begin)), end_(std::move(end)), step_(std::move(step)) {}
  std::string type_name() const override { return "slice"; }
  Span span(std::int64_t size) const;

 private:
  Value begin_, end_, step_;
};
/// "..." and torch.newaxis are told apart from names by this object.
class Ellipsis : public Object {
 public:
  std::string type_name() const override { return "ellipsis"; }
  std::string repr() const override { return "Ellipsis"; }
};

/// A set; numbers come in ascending order, other members as they were put in.
class Set : public Object, public Iterable {
 public:
  std::string type_name() const override { return "set"; }
  std::string repr() const override;
  std::optional<Value> attribute(std::string_view name) override;
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(members_.size()); }
  IteratorPtr iterate() override;
  void add(const Value& v);
  bool contains(const Value& v) const { return members_.contains(v); }
  std::vector<Value> members() const;

 private:
  Dict members_;
};
/// Throws Error(config) for lists, dicts and sets, which Python cannot hash.
void check_hashable(const Value& v);

class Range : public Object, public Iterable {
 public:
  Range(std::int64_t begin, std::int64_t end, std::int64_t step);
  std::string type_name() const override { return "range"; }
  std::string repr() const override;
  std::optional<Value> index(const Value& key) override;
  std::optional<std::int64_t> length() const override { return count_; }
  IteratorPtr iterate() override;
  std::int64_t at(std::int64_t i) const { return begin_ + i * step_; }

 private:
  std::int64_t begin_, end_, step_, count_;
};

/// A package or something in one that is not on the allow-list; only usable by naming what is in it.
class Module : public Object {
 public:
  explicit Module(std::string path) : path_(std::move(path)) {}
  std::string type_name() const override { return "module"; }
  std::string repr() const override { return "<module '" + path_ + "'>"; }
  const std::string& path() const { return path_; }
  bool known() const;  ///< holds something allowed
  void set_attribute(std::string_view name, const Value& value) override;

 private:
  std::string path_;
};
/// What a dotted path names: an allowed value, a component of the build as a callable, or a Module.
Value lookup(const std::string& path);
/// A component as a callable value.
Value component_value(const Component& component);
/// Throws Error(refused) naming the path if the value is a Module with nothing allowed in it.
void check_known(const Value& v);

}  // namespace vesal::bundle::expr
