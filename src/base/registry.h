// What a bundle can name: components (a `_target_`) and functions and constants (in an expression).
// Files register themselves with a static Register or Allow; there is no central list.
#pragma once
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/value.h"

namespace vesal {

/// One argument of a component, with the peer's name and default.
struct Param {
  std::string name;
  std::string doc;
  std::optional<Value> fallback = std::nullopt;  ///< no fallback: the argument is required
  bool rest = false;                             ///< takes every further named argument, as a dict (Python's **kwargs)
};
/// A required argument.
inline Param required(std::string name, std::string doc) { return {std::move(name), std::move(doc), std::nullopt, false}; }
/// An argument with a default.
inline Param optional(std::string name, Value fallback, std::string doc) { return {std::move(name), std::move(doc), std::move(fallback), false}; }

namespace detail {
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// An int, or a float that is a whole number, within T's range.
template <class T>
T integer(const Value& v) {
  const bool whole = v.is_float() && std::fabs(v.as_float()) < 9e18 && v.as_float() == std::trunc(v.as_float());
  const std::int64_t i = whole ? static_cast<std::int64_t>(v.as_float()) : v.as_int();
  if (!std::in_range<T>(i)) throw Error(ErrorKind::config, std::to_string(i) + " is out of range");
  return static_cast<T>(i);
}
}  // namespace detail

/// A Value as a C++ type: bool (an int, a string or None counts as Python has it), integers, floating, std::string, DType, Array, Value,
/// std::optional<T> (None is empty), std::vector<T> (a scalar counts as a list of one), std::shared_ptr<T> of an Object. Throws Error(config).
template <class T>
T cast(const Value& v) {
  if constexpr (std::is_same_v<T, Value>) return v;
  else if constexpr (std::is_same_v<T, bool>) return v.is_int() || v.is_string() || v.is_none() ? v.truthy() : v.as_bool();
  else if constexpr (std::is_integral_v<T>) return detail::integer<T>(v);
  else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(v.as_float());
  else if constexpr (std::is_same_v<T, std::string>) return v.as_string();
  else if constexpr (std::is_same_v<T, DType>) return v.as_dtype();
  else if constexpr (std::is_same_v<T, Array>) return v.as_array();
  else if constexpr (detail::IsOptional<T>::value) {
    if (v.is_none()) return std::nullopt;
    return cast<typename T::value_type>(v);
  } else if constexpr (detail::IsVector<T>::value) {
    T out;
    if (v.is_sequence())
      for (const Value& item : v.items()) out.push_back(cast<typename T::value_type>(item));
    else out.push_back(cast<typename T::value_type>(v));
    return out;
  } else {
    using U = typename T::element_type;
    if (v.is_none()) return nullptr;
    auto p = v.object<U>();
    if (!p) throw Error(ErrorKind::config, "unexpected " + v.type_name() + " " + v.repr());
    return p;
  }
}

/// The arguments of one construction, bound to the component's Params: every Param has a value.
class Args {
 public:
  Args(std::string component, Dict values) : component_(std::move(component)), values_(std::move(values)) {}
  const Value& operator[](const std::string& name) const { return values_.at(name); }
  bool is_none(const std::string& name) const { return values_.at(name).is_none(); }
  template <class T>
  T get(const std::string& name) const {
    return with_context(component_ + ": " + name, [&] { return cast<T>(values_.at(name)); });
  }
  const Dict& all() const { return values_; }
  const std::string& component() const { return component_; }

 private:
  std::string component_;
  Dict values_;
};

/// Something a `_target_` can name.
struct Component {
  std::string kind;                       ///< "network", "transform", "inferer", "loss", "metric", "handler", "dataset", ...
  std::string name;                       ///< MONAI's bare name ("UNet"), or a full one of another package ("torch.optim.Adam")
  std::vector<std::string> aliases = {};  ///< other bare names ("Unet", "OrientationD")
  std::string summary;                    ///< one line
  std::vector<Param> params;              ///< in the peer's order
  std::function<Value(const Args&)> make;
};

/// Binds Python-style arguments: unknown, doubled or missing names throw Error(config) saying which there are.
Args bind(const Component& component, const CallArgs& args);
/// bind + make, with the component's name as context.
Value construct(const Component& component, const CallArgs& args);

namespace components {
/// By bare name, alias, or dotted path: of "monai.a.b.Name" only Name counts. nullptr if unknown. Thread safe, and what is found stays.
/// A name that nobody knows loads what is loaded late (base/plugin.h) before it is unknown; throws Error(unsupported) if that fails.
const Component* find(std::string_view target);
/// Like find, but throws Error(not_found) with the nearest known names.
const Component& get(std::string_view target);
std::vector<const Component*> all();  ///< sorted by kind, then name; loads what is loaded late
void add(Component component);
}  // namespace components

/// static const Register unet({.kind = "network", .name = "UNet", ...});
struct Register {
  explicit Register(Component component) { components::add(std::move(component)); }
};

/// Names an expression may use: "os.path.join", "sorted", "torch.float32", ...; all else is refused. As for components, of "monai.a.b.name"
/// only name counts, and what is loaded late is loaded for a name that nobody knows.
namespace allowed {
const Value* find(std::string_view dotted);
bool is_prefix(std::string_view dotted);  ///< a package of something allowed: "os", "os.path"
std::vector<std::string> known();         ///< names, without loading anything
void add(std::string dotted, Value value);
}  // namespace allowed

/// static const Allow join("os.path.join", [](const CallArgs& args) { ... });
struct Allow {
  Allow(std::string dotted, Value value) { allowed::add(std::move(dotted), std::move(value)); }
  Allow(const std::string& dotted, Function::Body body) { allowed::add(dotted, make_function(dotted, std::move(body))); }
};

/// A table of functions: static const AllowFunctions os({{"os.path.join", join}, {"os.path.exists", exists}});
struct AllowFunctions {
  AllowFunctions(std::initializer_list<std::pair<const char*, Function::Body>> functions) {
    for (const auto& [dotted, body] : functions) allowed::add(dotted, make_function(dotted, body));
  }
};

/// Binds a function's arguments to names, as Python does; for functions with keyword arguments.
Args bind(const std::string& function, const std::vector<Param>& params, const CallArgs& args);

/// Up to three of `known` that look like `name`, as " (did you mean A, B?)", or "".
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace vesal
