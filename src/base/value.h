// Value: what a name in a bundle's configuration can stand for; Python's data model, as small as it can be.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/array.h"

namespace vesal {

class Object;
class Value;
struct List;
struct Tuple;
class Dict;
using ObjectPtr = std::shared_ptr<Object>;

/// None, bool, int, float, str, numpy/torch array, dtype, list, tuple, dict or an object. Lists, dicts, arrays and objects are
/// shared on copy, as in Python. Not thread safe for writing.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : v_(v) {}
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Value(T v) : v_(static_cast<std::int64_t>(v)) {}
  Value(double v) : v_(v) {}
  Value(float v) : v_(static_cast<double>(v)) {}
  Value(const char* v) : v_(std::string(v)) {}
  Value(std::string v) : v_(std::move(v)) {}
  Value(std::string_view v) : v_(std::string(v)) {}
  Value(Array v) : v_(std::move(v)) {}
  Value(DType v) : v_(v) {}
  Value(List v);
  Value(Tuple v);
  Value(Dict v);
  template <class T>
  requires std::is_base_of_v<Object, T> Value(std::shared_ptr<T> v) : v_(ObjectPtr(std::move(v))) {}

  bool is_none() const { return std::holds_alternative<std::monostate>(v_); }
  bool is_bool() const { return std::holds_alternative<bool>(v_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(v_); }
  bool is_float() const { return std::holds_alternative<double>(v_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }
  bool is_string() const { return std::holds_alternative<std::string>(v_); }
  bool is_array() const { return std::holds_alternative<Array>(v_); }
  bool is_dtype() const { return std::holds_alternative<DType>(v_); }
  bool is_list() const { return std::holds_alternative<std::shared_ptr<List>>(v_); }
  bool is_tuple() const { return std::holds_alternative<std::shared_ptr<Tuple>>(v_); }
  bool is_sequence() const { return is_list() || is_tuple(); }
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<Dict>>(v_); }
  bool is_object() const { return std::holds_alternative<ObjectPtr>(v_); }

  // Each throws Error(config) naming both types when the value is something else. as_float takes ints and bools, as_int bools.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_float() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  DType as_dtype() const;
  const std::vector<Value>& items() const;  ///< of a list or tuple
  std::vector<Value>& mutable_items();      ///< of a list
  const Dict& as_dict() const;
  Dict& mutable_dict();
  const ObjectPtr& as_object() const;
  /// The object as T, or nullptr if it is none.
  template <class T>
  std::shared_ptr<T> object() const {
    return is_object() ? std::dynamic_pointer_cast<T>(std::get<ObjectPtr>(v_)) : nullptr;
  }

  std::string type_name() const;  ///< "int", "str", "list", an object's own name
  std::string repr() const;       ///< as Python prints it
  std::string str() const;        ///< as Python's str(): a string without quotes
  bool truthy() const;
  std::size_t hash() const;                   ///< equal values have equal hashes
  bool operator==(const Value& other) const;  ///< Python's ==: 1 == 1.0 == True; objects by identity

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, DType, std::shared_ptr<List>, std::shared_ptr<Tuple>,
               std::shared_ptr<Dict>, ObjectPtr>
      v_;
};

struct List {
  std::vector<Value> items;
};
struct Tuple {
  std::vector<Value> items;
};

/// Keeps insertion order; keys are compared as Python compares them, and must not be changed through an iterator.
/// Finding takes constant time; erasing does not. Pointers and references to values last until the next insertion.
class Dict {
 public:
  Dict() = default;
  Dict(std::initializer_list<std::pair<Value, Value>> entries);
  const Value* find(const Value& key) const;
  Value* find(const Value& key);
  bool contains(const Value& key) const { return find(key) != nullptr; }
  const Value& at(const Value& key) const;  ///< throws Error(config) naming the key and those there are
  Value& operator[](const Value& key);
  bool erase(const Value& key);
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }

 private:
  std::optional<std::size_t> index_of(const Value& key) const;
  void index_last();
  void rebuild_index();
  std::vector<std::pair<Value, Value>> entries_;
  std::vector<std::uint32_t> slots_;  ///< a hash table of places in entries_, plus one; empty while there are few
};

/// Arguments of a call: f(a, b, key=c).
struct CallArgs {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Anything with behaviour: a transform, a network, an image, a device, a function.
class Object : public std::enable_shared_from_this<Object> {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;  ///< "UNet", "Compose", "function"
  virtual std::string repr() const { return "<" + type_name() + ">"; }
  virtual std::optional<Value> attribute(std::string_view name);          ///< obj.name; methods come back as functions
  virtual void set_attribute(std::string_view name, const Value& value);  ///< refused unless overridden
  virtual Value call(const CallArgs& args);                               ///< obj(...); an error unless overridden
  virtual std::optional<Value> index(const Value& key);                   ///< obj[key]
  virtual std::optional<std::int64_t> length() const;                     ///< len(obj)
};

/// A function of the allow-list, a bound method or a lambda.
class Function : public Object {
 public:
  using Body = std::function<Value(const CallArgs&)>;
  Function(std::string name, Body body) : name_(std::move(name)), body_(std::move(body)) {}
  std::string type_name() const override { return "function"; }
  std::string repr() const override { return "<function " + name_ + ">"; }
  Value call(const CallArgs& args) override { return body_(args); }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  Body body_;
};

Value make_function(std::string name, Function::Body body);
/// Calls a function, lambda or callable object.
Value call_value(const Value& callee, const CallArgs& args);

}  // namespace vesal
