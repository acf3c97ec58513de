// Operators on scalars, strings, lists, dicts and sets; arrays go to expr_array.cpp.
#include <cmath>
#include <limits>

#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle::expr {
namespace {

[[noreturn]] void mismatch(std::string_view op, const Value& a, const Value& b) {
  fail("'" + std::string(op) + "' does not go with " + a.type_name() + " and " + b.type_name());
}
[[noreturn]] void overflow() { fail("an integer beyond 64 bits"); }

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) fail("division by zero");
  if (b == -1) {
    if (a == std::numeric_limits<std::int64_t>::min()) overflow();
    return -a;
  }
  const std::int64_t q = a / b;
  return q - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);
}
std::int64_t modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) fail("division by zero");
  if (b == -1) return 0;
  const std::int64_t r = a % b;
  return r != 0 && ((r < 0) != (b < 0)) ? r + b : r;
}
std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 ? -1 : 1;
  if (exponent > 63) overflow();
  for (std::int64_t i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(result, base, &result)) overflow();
  return result;
}

Value integers(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (op == "+") {
    if (__builtin_add_overflow(a, b, &r)) overflow();
  } else if (op == "-") {
    if (__builtin_sub_overflow(a, b, &r)) overflow();
  } else if (op == "*") {
    if (__builtin_mul_overflow(a, b, &r)) overflow();
  } else if (op == "//") {
    r = floor_divide(a, b);
  } else if (op == "%") {
    r = modulo(a, b);
  } else if (op == "**") {
    if (b < 0) {
      if (a == 0) fail("division by zero");
      return std::pow(static_cast<double>(a), static_cast<double>(b));
    }
    r = integer_power(a, b);
  } else if (op == "<<") {
    if (b < 0) fail("negative shift");
    if (a == 0) return 0;
    if (b > 62 || a > (std::numeric_limits<std::int64_t>::max() >> b) || a < (std::numeric_limits<std::int64_t>::min() >> b)) overflow();
    r = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << b);
  } else if (op == ">>") {
    if (b < 0) fail("negative shift");
    r = a >> std::min<std::int64_t>(b, 63);
  } else {
    r = op == "&" ? a & b : op == "|" ? a | b : a ^ b;
  }
  return r;
}

Value floats(std::string_view op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/" || op == "//" || op == "%") {
    if (b == 0) fail("division by zero");
    if (op == "/") return a / b;
    double r = std::fmod(a, b);
    if (r != 0 && ((r < 0) != (b < 0))) r += b;
    if (op == "%") return r == 0 ? std::copysign(0.0, b) : r;
    return std::nearbyint((a - r) / b);
  }
  if (op != "**") mismatch(op, a, b);
  if (a == 0 && b < 0) fail("division by zero");
  const double r = std::pow(a, b);
  if (std::isnan(r) && !std::isnan(a) && !std::isnan(b)) fail("a complex result");
  if (std::isinf(r) && std::isfinite(a) && std::isfinite(b)) fail("a float beyond its range");
  return r;
}

Value repeat(const Value& v, std::int64_t times) {
  times = std::max<std::int64_t>(times, 0);
  if (v.is_string()) {
    const std::string& s = v.as_string();
    if (!s.empty() && times > kMaxString / static_cast<std::int64_t>(s.size()))
      throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
    spend(static_cast<std::int64_t>(s.size()) * times / 64);
    std::string out;
    out.reserve(s.size() * static_cast<std::size_t>(times));
    for (std::int64_t i = 0; i < times && !s.empty(); ++i) out += s;
    return out;
  }
  const auto& items = v.items();
  if (!items.empty() && times > kMaxItems / static_cast<std::int64_t>(items.size()))
    throw Error(ErrorKind::refused, "a list of more than " + std::to_string(kMaxItems) + " items");
  spend(static_cast<std::int64_t>(items.size()) * times);
  std::vector<Value> out;
  for (std::int64_t i = 0; i < times && !items.empty(); ++i) out.insert(out.end(), items.begin(), items.end());
  return v.is_list() ? Value(List{std::move(out)}) : Value(Tuple{std::move(out)});
}

Value join(const Value& a, const Value& b) {
  if (a.is_string()) {
    if (static_cast<std::int64_t>(a.as_string().size() + b.as_string().size()) > kMaxString)
      throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
    spend(static_cast<std::int64_t>((a.as_string().size() + b.as_string().size()) / 64));
    return a.as_string() + b.as_string();
  }
  std::vector<Value> out = a.items();
  out.insert(out.end(), b.items().begin(), b.items().end());
  if (static_cast<std::int64_t>(out.size()) > kMaxItems)
    throw Error(ErrorKind::refused, "a list of more than " + std::to_string(kMaxItems) + " items");
  spend(static_cast<std::int64_t>(out.size()));
  return a.is_list() ? Value(List{std::move(out)}) : Value(Tuple{std::move(out)});
}

Value sets(std::string_view op, const Set& a, const Set& b) {
  auto result = std::make_shared<Set>();
  for (const Value& v : a.members())
    if (op == "|" || (op == "&") == b.contains(v)) result->add(v);
  if (op == "|" || op == "^")
    for (const Value& v : b.members())
      if (!a.contains(v)) result->add(v);
  return result;
}

bool subset(const Set& a, const Set& b) {
  for (const Value& v : a.members())
    if (!b.contains(v)) return false;
  return true;
}

/// -1, 0, 1; throws when the two have no order.
int order(std::string_view op, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (!a.is_float() && !b.is_float()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int();
    return a.as_float() < b.as_float() ? -1 : a.as_float() > b.as_float() ? 1 : a.as_float() == b.as_float() ? 0 : 2;  // 2: NaN
  }
  if (a.is_string() && b.is_string()) return a.as_string().compare(b.as_string()) < 0 ? -1 : a.as_string() > b.as_string();
  if ((a.is_list() && b.is_list()) || (a.is_tuple() && b.is_tuple())) {
    const Deeper level;
    const auto &x = a.items(), &y = b.items();
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      spend();
      if (!equal(x[i], y[i])) return order(op, x[i], y[i]);
    }
    return x.size() < y.size() ? -1 : x.size() > y.size();
  }
  mismatch(op, a, b);
}

bool same(const Value& a, const Value& b) {
  if (a.is_object() && b.is_object()) return a.as_object() == b.as_object();
  if (a.is_array() && b.is_array()) return a == b;
  if (a.is_list() && b.is_list()) return &a.items() == &b.items();
  if (a.is_dict() && b.is_dict()) return &a.as_dict() == &b.as_dict();
  return a.type_name() == b.type_name() && equal(a, b);
}

}  // namespace

bool truth(const Value& v) {
  if (is_arrayish(v)) return array_truth(v);
  return v.truthy();
}

Value binary(std::string_view op, const Value& a, const Value& b) {
  if (is_arrayish(a) || is_arrayish(b)) return array_binary(op, a, b);
  if (a.is_number() && b.is_number()) {
    if (a.is_bool() && b.is_bool() && (op == "&" || op == "|" || op == "^"))
      return op == "&" ? a.as_bool() && b.as_bool() : op == "|" ? a.as_bool() || b.as_bool() : a.as_bool() != b.as_bool();
    if (op == "/" || a.is_float() || b.is_float()) return floats(op, a.as_float(), b.as_float());
    return integers(op, a.as_int(), b.as_int());
  }
  if (op == "+" && ((a.is_string() && b.is_string()) || (a.is_list() && b.is_list()) || (a.is_tuple() && b.is_tuple()))) return join(a, b);
  if (op == "*") {
    const bool left = a.is_string() || a.is_sequence(), right = b.is_string() || b.is_sequence();
    if (left && !b.is_float() && b.is_number()) return repeat(a, b.as_int());
    if (right && !a.is_float() && a.is_number()) return repeat(b, a.as_int());
  }
  if (op == "%" && a.is_string()) return percent_format(a.as_string(), b);
  const auto x = a.object<Set>(), y = b.object<Set>();
  if (x && y && (op == "|" || op == "&" || op == "-" || op == "^")) return sets(op, *x, *y);
  if (op == "|" && a.is_dict() && b.is_dict()) {
    Dict merged = a.as_dict();
    for (const auto& [key, value] : b.as_dict()) spend(), merged[key] = value;
    return merged;
  }
  if (op == "/" && a.is_object())  // pathlib: folder / name
    if (auto divide = a.as_object()->attribute("joinpath")) return call_value(*divide, {{b}, {}});
  mismatch(op, a, b);
}

Value unary(std::string_view op, const Value& a) {
  if (is_arrayish(a)) return array_unary(op, a);
  if (!a.is_number()) fail("'" + std::string(op) + "' does not go with " + a.type_name());
  if (op == "~") return ~a.as_int();
  if (a.is_float()) return op == "-" ? -a.as_float() : a.as_float();
  return op == "-" ? integers("-", 0, a.as_int()) : Value(a.as_int());
}

bool equal(const Value& a, const Value& b) {
  spend();
  const auto x = a.object<Set>(), y = b.object<Set>();
  if (x && y) return *x->length() == *y->length() && subset(*x, *y);
  if ((a.is_list() && b.is_list()) || (a.is_tuple() && b.is_tuple())) {
    const Deeper level;
    const auto &p = a.items(), &q = b.items();
    if (p.size() != q.size()) return false;
    for (std::size_t i = 0; i < p.size(); ++i)
      if (!equal(p[i], q[i])) return false;
    return true;
  }
  if (a.is_dict() && b.is_dict()) {
    const Deeper level;
    const Dict &p = a.as_dict(), &q = b.as_dict();
    if (p.size() != q.size()) return false;
    for (const auto& [key, value] : p) {
      const Value* other = q.find(key);
      if (!other || !equal(value, *other)) return false;
    }
    return true;
  }
  if (a.is_object() && b.is_object() && a.as_object() != b.as_object() && a.type_name() == b.type_name() && a.type_name() == "torch.device")
    return a.repr() == b.repr();
  return a == b;
}

bool less(const Value& a, const Value& b) { return order("<", a, b) == -1; }

Value compare(std::string_view op, const Value& a, const Value& b) {
  if (op == "is") return same(a, b);
  if (op == "is not") return !same(a, b);
  if (op == "in") return contains(b, a);
  if (op == "not in") return !contains(b, a);
  if (is_arrayish(a) || is_arrayish(b)) {
    if ((op == "==" || op == "!=") && (a.is_none() || b.is_none() || a.is_string() || b.is_string())) return op == "!=";
    return array_binary(op, a, b);
  }
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  const auto x = a.object<Set>(), y = b.object<Set>();
  if (x && y) {
    const bool strict = op == "<" || op == ">";
    const bool holds = op[0] == '<' ? subset(*x, *y) : subset(*y, *x);
    return holds && !(strict && *x->length() == *y->length());
  }
  const int o = order(op, a, b);
  if (o == 2) return false;
  return op == "<" ? o < 0 : op == "<=" ? o <= 0 : op == ">" ? o > 0 : o >= 0;
}

bool contains(const Value& container, const Value& v) {
  if (container.is_string()) return container.as_string().find(v.as_string()) != std::string::npos;
  if (container.is_dict()) return container.as_dict().contains(v);
  if (const auto set = container.object<Set>()) return set->contains(v);
  if (const auto range = container.object<Range>()) {
    if (!v.is_number()) return false;
    const std::int64_t n = *range->length();
    if (n == 0 || (v.is_float() && v.as_float() != std::floor(v.as_float()))) return false;
    const double want = v.as_float();
    const double step = n > 1 ? static_cast<double>(range->at(1)) - static_cast<double>(range->at(0)) : 1;
    const double i = (want - static_cast<double>(range->at(0))) / step;
    return i >= 0 && i < static_cast<double>(n) && static_cast<double>(range->at(static_cast<std::int64_t>(i))) == want;
  }
  const IteratorPtr it = iterate(container);
  while (auto candidate = it->next()) {
    spend();
    if (truth(compare("==", *candidate, v))) return true;
  }
  return false;
}

}  // namespace vesal::bundle::expr
