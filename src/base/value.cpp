#include "base/value.h"

#include <fmt/format.h>

#include <cmath>

namespace vesal {
namespace {

[[noreturn]] void mismatch(const Value& v, const char* wanted) {
  std::string shown = v.repr();
  if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
  throw Error(ErrorKind::config, std::string(wanted) + " wanted, got " + v.type_name() + " " + shown);
}

std::string quote(const std::string& s) {
  const char q = s.find('\'') != std::string::npos && s.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, q);
  for (char c : s) {
    if (c == q || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else out += c;
  }
  return out + q;
}

std::string join(const std::vector<Value>& items) {
  std::string s;
  for (std::size_t i = 0; i < items.size(); ++i) s += (i ? ", " : "") + items[i].repr();
  return s;
}

std::string float_repr(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  const double magnitude = std::fabs(v);
  if (v == 0 || (magnitude >= 1e-4 && magnitude < 1e16)) {
    std::string s = fmt::format("{}", v);  // shortest that reads back
    if (s.find('e') != std::string::npos) s = fmt::format("{:.1f}", v);
    if (s.find('.') == std::string::npos) s += ".0";
    return s;
  }
  return fmt::format("{}", v);
}

/// How deep repr() and == may go: lists can hold themselves.
constexpr int kMaxDepth = 500;
struct Depth {
  static thread_local int now;
  Depth() { ++now; }
  ~Depth() { --now; }
};
thread_local int Depth::now = 0;

}  // namespace

Value::Value(List v) : v_(std::make_shared<List>(std::move(v))) {}
Value::Value(Tuple v) : v_(std::make_shared<Tuple>(std::move(v))) {}
Value::Value(Dict v) : v_(std::make_shared<Dict>(std::move(v))) {}

bool Value::as_bool() const {
  if (!is_bool()) mismatch(*this, "bool");
  return std::get<bool>(v_);
}
std::int64_t Value::as_int() const {
  if (is_bool()) return std::get<bool>(v_);
  if (!is_int()) mismatch(*this, "int");
  return std::get<std::int64_t>(v_);
}
double Value::as_float() const {
  if (is_float()) return std::get<double>(v_);
  if (!is_number()) mismatch(*this, "float");
  return static_cast<double>(as_int());
}
const std::string& Value::as_string() const {
  if (!is_string()) mismatch(*this, "str");
  return std::get<std::string>(v_);
}
const Array& Value::as_array() const {
  if (!is_array()) mismatch(*this, "array");
  return std::get<Array>(v_);
}
DType Value::as_dtype() const {
  if (is_dtype()) return std::get<DType>(v_);
  if (is_string())
    if (auto type = dtype_from_name(as_string())) return *type;
  mismatch(*this, "dtype");
}
const std::vector<Value>& Value::items() const {
  if (is_list()) return std::get<std::shared_ptr<List>>(v_)->items;
  if (!is_tuple()) mismatch(*this, "list or tuple");
  return std::get<std::shared_ptr<Tuple>>(v_)->items;
}
std::vector<Value>& Value::mutable_items() {
  if (!is_list()) mismatch(*this, "list");
  return std::get<std::shared_ptr<List>>(v_)->items;
}
const Dict& Value::as_dict() const {
  if (!is_dict()) mismatch(*this, "dict");
  return *std::get<std::shared_ptr<Dict>>(v_);
}
Dict& Value::mutable_dict() {
  if (!is_dict()) mismatch(*this, "dict");
  return *std::get<std::shared_ptr<Dict>>(v_);
}
const ObjectPtr& Value::as_object() const {
  if (!is_object()) mismatch(*this, "object");
  return std::get<ObjectPtr>(v_);
}

std::string Value::type_name() const {
  static constexpr const char* kNames[] = {"None", "bool", "int", "float", "str", "array", "dtype", "list", "tuple", "dict"};
  return is_object() ? as_object()->type_name() : kNames[v_.index()];
}

std::string Value::repr() const {
  if (is_none()) return "None";
  if (is_bool()) return as_bool() ? "True" : "False";
  if (is_int()) return std::to_string(as_int());
  if (is_float()) return float_repr(as_float());
  if (is_string()) return quote(as_string());
  if (is_array()) return "array(" + std::string(name_of(as_array().dtype())) + " " + to_string(as_array().shape()) + ")";
  if (is_dtype()) return "torch." + std::string(name_of(as_dtype()));
  const Depth depth;
  if (depth.now > kMaxDepth) return "...";
  if (is_list()) return "[" + join(items()) + "]";
  if (is_tuple()) return "(" + join(items()) + (items().size() == 1 ? ",)" : ")");
  if (is_object()) return as_object()->repr();
  std::string s = "{";
  for (const auto& [key, value] : as_dict()) s += (s.size() > 1 ? ", " : "") + key.repr() + ": " + value.repr();
  return s + "}";
}

std::string Value::str() const { return is_string() ? as_string() : repr(); }

bool Value::truthy() const {
  if (is_none()) return false;
  if (is_bool()) return as_bool();
  if (is_int()) return as_int() != 0;
  if (is_float()) return as_float() != 0;
  if (is_string()) return !as_string().empty();
  if (is_sequence()) return !items().empty();
  if (is_dict()) return !as_dict().empty();
  if (is_array()) {
    if (as_array().numel() != 1) throw Error(ErrorKind::config, "the truth of an array of more than one element is ambiguous");
    return as_array().item() != 0;
  }
  if (is_object())
    if (auto n = as_object()->length()) return *n != 0;
  return true;
}

bool Value::operator==(const Value& o) const {
  if (is_number() && o.is_number()) {
    if (is_float() || o.is_float()) return as_float() == o.as_float();
    return as_int() == o.as_int();
  }
  if (v_.index() != o.v_.index()) return false;
  if (is_none()) return true;
  if (is_string()) return as_string() == o.as_string();
  if (is_dtype()) return as_dtype() == o.as_dtype();
  const Depth depth;
  if (depth.now > kMaxDepth) throw Error(ErrorKind::config, "values nested too deep to compare");
  if (is_sequence()) return items() == o.items();
  if (is_object()) return as_object() == o.as_object();
  if (is_array()) return as_array().raw() == o.as_array().raw() && as_array().shape() == o.as_array().shape();
  const Dict& a = as_dict();
  const Dict& b = o.as_dict();
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    const Value* other = b.find(key);
    if (!other || !(*other == value)) return false;
  }
  return true;
}

std::optional<Value> Object::attribute(std::string_view) { return std::nullopt; }
void Object::set_attribute(std::string_view name, const Value&) {
  throw Error(ErrorKind::refused, type_name() + "." + std::string(name) + " cannot be set");
}
Value Object::call(const CallArgs&) { throw Error(ErrorKind::config, type_name() + " cannot be called"); }
std::optional<Value> Object::index(const Value&) { return std::nullopt; }
std::optional<std::int64_t> Object::length() const { return std::nullopt; }

Value make_function(std::string name, Function::Body body) { return std::make_shared<Function>(std::move(name), std::move(body)); }

Value call_value(const Value& callee, const CallArgs& args) {
  if (!callee.is_object()) throw Error(ErrorKind::config, callee.type_name() + " cannot be called");
  return callee.as_object()->call(args);
}

}  // namespace vesal
