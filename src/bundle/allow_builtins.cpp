// Python's safe builtins.
#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

using Args = CallArgs;

const Value& arg(const Args& a, std::size_t i) {
  if (i >= a.positional.size()) fail("argument " + std::to_string(i + 1) + " is missing");
  return a.positional[i];
}
const Value* named(const Args& a, std::string_view name) {
  for (const auto& [n, v] : a.named)
    if (n == name) return &v;
  return nullptr;
}
bool has(const Args& a, std::size_t i) { return i < a.positional.size(); }
void at_most(const Args& a, std::size_t n) {
  if (a.positional.size() > n) fail("at most " + std::to_string(n) + " arguments are taken, got " + std::to_string(a.positional.size()));
}

/// An iterator made of a function.
class Made : public Iterator {
 public:
  explicit Made(std::function<std::optional<Value>()> next) : next_(std::move(next)) {}
  std::optional<Value> next() override {
    const Deeper level;
    return next_();
  }

 private:
  std::function<std::optional<Value>()> next_;
};
Value made(std::function<std::optional<Value>()> next) { return std::make_shared<Made>(std::move(next)); }

Value sorted(const Args& a) {
  at_most(a, 1);
  std::vector<Value> items = drain(arg(a, 0));
  const Value* key = named(a, "key");
  const Value* reverse = named(a, "reverse");
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& v : items) keyed.emplace_back(key && !key->is_none() ? call(*key, {{v}, {}}) : v, v);
  const bool down = reverse && truth(*reverse);
  // An order that contradicts itself (NaN) must not lead the sort astray: merge sort only compares.
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& x, const auto& y) {
    spend();
    return down ? less(y.first, x.first) : less(x.first, y.first);
  });
  List list;
  for (auto& [k, v] : keyed) list.items.push_back(std::move(v));
  return list;
}

Value extreme(const Args& a, bool most) {
  const std::vector<Value> items = a.positional.size() == 1 ? drain(a.positional[0]) : a.positional;
  const Value* key = named(a, "key");
  if (items.empty()) {
    if (const Value* fallback = named(a, "default")) return *fallback;
    fail("min() or max() of nothing");
  }
  auto rank = [&](const Value& v) { return key && !key->is_none() ? call(*key, {{v}, {}}) : v; };
  Value best = items[0], best_rank = rank(best);
  for (std::size_t i = 1; i < items.size(); ++i) {
    spend();
    const Value r = rank(items[i]);
    const bool better = is_arrayish(r) || is_arrayish(best_rank) ? truth(compare(most ? ">" : "<", r, best_rank))
                        : most                                   ? less(best_rank, r)
                                                                 : less(r, best_rank);
    if (better) best = items[i], best_rank = r;
  }
  return best;
}

Value integer(const Args& a) {
  at_most(a, 2);
  if (!has(a, 0)) return 0;
  Value v = a.positional[0];
  if (is_arrayish(v)) v = array_to_list(image::array_of(v).reshape({}));
  if (v.is_float()) {
    const double x = std::trunc(v.as_float());
    if (!(std::fabs(x) < 9.2e18)) fail("int() of " + v.repr());
    return static_cast<std::int64_t>(x);
  }
  if (!v.is_string()) return v.as_int();
  std::string s = v.as_string();
  const auto begin = s.find_first_not_of(" \t\n"), end = s.find_last_not_of(" \t\n");
  s = begin == std::string::npos ? "" : s.substr(begin, end - begin + 1);
  std::erase(s, '_');
  std::size_t used = 0;
  try {
    const int base = has(a, 1) ? static_cast<int>(a.positional[1].as_int()) : 10;
    if (base != 0 && (base < 2 || base > 36)) fail("int() of base " + std::to_string(base));
    const std::int64_t n = std::stoll(s, &used, base);
    if (used == s.size()) return n;
  } catch (const std::logic_error&) {
    // Reported below.
  }
  fail("int() of " + v.repr());
}

Value floating(const Args& a) {
  at_most(a, 1);
  if (!has(a, 0)) return 0.0;
  const Value& v = a.positional[0];
  if (is_arrayish(v)) return image::array_of(v).item();
  if (!v.is_string()) return v.as_float();
  const std::string& s = v.as_string();
  const char* begin = s.c_str();
  char* end = nullptr;
  const double x = std::strtod(begin, &end);
  while (end && std::isspace(static_cast<unsigned char>(*end))) ++end;
  if (end == begin || *end || s.find_first_of("xX") != std::string::npos) fail("float() of " + v.repr());
  return x;
}

Value rounded(const Args& a) {
  const Value& v = arg(a, 0);
  const Value* digits = has(a, 1) ? &a.positional[1] : named(a, "ndigits");
  if (is_arrayish(v)) return *array_map("round", v);
  if (!v.is_float()) return v.as_int();
  if (!digits || digits->is_none()) {
    const double x = std::nearbyint(v.as_float());
    if (!(std::fabs(x) < 9.2e18)) fail("round() of " + v.repr());
    return static_cast<std::int64_t>(x);
  }
  const std::int64_t n = std::clamp<std::int64_t>(digits->as_int(), -300, 300);
  if (n < 0) return std::nearbyint(v.as_float() / std::pow(10.0, static_cast<double>(-n))) * std::pow(10.0, static_cast<double>(-n));
  return std::strtod(format_value(v, "." + std::to_string(n) + "f").c_str(), nullptr);  // through decimal digits, as Python does
}

Value sum(const Args& a) {
  Value total = has(a, 1) ? a.positional[1] : named(a, "start") ? *named(a, "start") : Value(0);
  if (total.is_string()) fail("sum() does not join strings");
  const IteratorPtr it = iterate(arg(a, 0));
  while (auto v = it->next()) spend(), total = binary("+", total, *v);
  return total;
}

Value range(const Args& a) {
  at_most(a, 3);
  auto at = [&](std::size_t i) {
    if (a.positional[i].is_float()) fail("range() takes integers, not floats");
    return is_arrayish(a.positional[i]) ? static_cast<std::int64_t>(image::array_of(a.positional[i]).item()) : a.positional[i].as_int();
  };
  if (a.positional.empty()) fail("range() needs an argument");
  const bool one = a.positional.size() == 1;
  return std::make_shared<Range>(one ? 0 : at(0), one ? at(0) : at(1), a.positional.size() > 2 ? at(2) : 1);
}

Value zip(const Args& a) {
  std::vector<IteratorPtr> sources;
  for (const Value& v : a.positional) sources.push_back(iterate(v));
  return made([sources]() -> std::optional<Value> {
    Tuple t;
    for (const IteratorPtr& s : sources) {
      spend();
      auto v = s->next();
      if (!v) return std::nullopt;
      t.items.push_back(std::move(*v));
    }
    if (sources.empty()) return std::nullopt;
    return t;
  });
}

Value enumerate(const Args& a) {
  const Value* start = has(a, 1) ? &a.positional[1] : named(a, "start");
  return made([it = iterate(arg(a, 0)), i = start ? start->as_int() : std::int64_t{0}]() mutable -> std::optional<Value> {
    auto v = it->next();
    if (!v) return std::nullopt;
    return Tuple{{i++, std::move(*v)}};
  });
}

Value map(const Args& a) {
  std::vector<IteratorPtr> sources;
  for (std::size_t i = 1; i < a.positional.size(); ++i) sources.push_back(iterate(a.positional[i]));
  if (sources.empty()) fail("map() needs something to go through");
  return made([f = arg(a, 0), sources]() -> std::optional<Value> {
    CallArgs args;
    for (const IteratorPtr& s : sources) {
      spend();
      auto v = s->next();
      if (!v) return std::nullopt;
      args.positional.push_back(std::move(*v));
    }
    return call(f, args);
  });
}

Value filter(const Args& a) {
  return made([f = arg(a, 0), it = iterate(arg(a, 1))]() -> std::optional<Value> {
    while (auto v = it->next()) {
      spend();
      if (truth(f.is_none() ? *v : call(f, {{*v}, {}}))) return v;
    }
    return std::nullopt;
  });
}

Value reversed(const Args& a) {
  if (const auto range = arg(a, 0).object<Range>()) {
    const std::int64_t n = *range->length();
    return made([range, i = n]() mutable -> std::optional<Value> {
      if (i == 0) return std::nullopt;
      return Value(range->at(--i));
    });
  }
  auto items = std::make_shared<std::vector<Value>>(drain(a.positional[0]));
  return made([items]() -> std::optional<Value> {
    if (items->empty()) return std::nullopt;
    Value v = std::move(items->back());
    items->pop_back();
    return v;
  });
}

Value dict(const Args& a) {
  Dict d;
  at_most(a, 1);
  if (has(a, 0) && a.positional[0].is_dict()) d = a.positional[0].as_dict();
  else if (has(a, 0))
    for (const Value& pair : drain(a.positional[0])) {
      const std::vector<Value> both = drain(pair);
      if (both.size() != 2) fail("dict() wants pairs");
      check_hashable(both[0]);
      d[both[0]] = both[1];
    }
  for (const auto& [k, v] : a.named) d[k] = v;
  return d;
}

Value set(const Args& a) {
  auto s = std::make_shared<Set>();
  if (has(a, 0))
    for (const Value& v : drain(a.positional[0])) s->add(v);
  return s;
}

/// The types that isinstance() knows, by the name of the builtin that makes them.
bool is_instance(const Value& v, const Value& type) {
  if (type.is_tuple()) return std::any_of(type.items().begin(), type.items().end(), [&](const Value& t) { return is_instance(v, t); });
  const auto f = type.object<Function>();
  if (!f) throw Error(ErrorKind::refused, "isinstance() knows the builtin types only, not " + type.repr());
  const std::string& name = f->name();
  if (name == "int") return v.is_int() || v.is_bool();
  if (name == "range" || name == "set") return v.type_name() == name;
  if (name == "torch.Tensor" || name == "numpy.ndarray" || name == "torch.tensor") return is_arrayish(v);
  return v.type_name() == name;
}

Value set_flag(const Args& a) {
  const auto module = arg(a, 0).object<Module>();
  if (!module || !module->path().starts_with("torch.backends."))
    throw Error(ErrorKind::refused, "setattr() is allowed for flags of torch.backends only");
  module->set_attribute(arg(a, 1).as_string(), arg(a, 2));
  return {};
}

Value print(const Args& a) {
  std::string line;
  const Value* separator = named(a, "sep");
  for (std::size_t i = 0; i < a.positional.size(); ++i)
    line += (i ? separator && separator->is_string() ? separator->as_string() : " " : "") + a.positional[i].str();
  log::info("{}", line);
  return {};
}

Value next(const Args& a) {
  const auto it = arg(a, 0).object<Iterator>();
  if (!it) fail(a.positional[0].type_name() + " is no iterator");
  if (auto v = it->next()) return *v;
  if (has(a, 1)) return a.positional[1];
  fail("the iterator has no more items");
}

const AllowFunctions kFunctions{
    {"len", [](const Args& a) { return Value(length(arg(a, 0))); }},
    {"list", [](const Args& a) { return Value(has(a, 0) ? List{drain(a.positional[0])} : List{}); }},
    {"tuple", [](const Args& a) { return Value(has(a, 0) ? Tuple{drain(a.positional[0])} : Tuple{}); }},
    {"dict", dict},
    {"set", set},
    {"frozenset", set},
    {"sorted", sorted},
    {"range", range},
    {"zip", zip},
    {"enumerate", enumerate},
    {"map", map},
    {"filter", filter},
    {"reversed", reversed},
    {"iter", [](const Args& a) { return Value(iterate(arg(a, 0))); }},
    {"next", next},
    {"min", [](const Args& a) { return extreme(a, false); }},
    {"max", [](const Args& a) { return extreme(a, true); }},
    {"sum", sum},
    {"abs",
     [](const Args& a) {
       const Value& v = arg(a, 0);
       if (is_arrayish(v)) return *array_map("abs", v);
       if (v.is_float()) return Value(std::fabs(v.as_float()));
       return v.as_int() < 0 ? unary("-", v) : Value(v.as_int());
     }},
    {"round", rounded},
    {"int", integer},
    {"float", floating},
    {"str", [](const Args& a) { return Value(has(a, 0) ? a.positional[0].str() : ""); }},
    {"repr", [](const Args& a) { return Value(arg(a, 0).repr()); }},
    {"format", [](const Args& a) { return Value(format_value(arg(a, 0), has(a, 1) ? a.positional[1].as_string() : "")); }},
    {"bool", [](const Args& a) { return Value(has(a, 0) && truth(a.positional[0])); }},
    {"any",
     [](const Args& a) {
       const IteratorPtr it = iterate(arg(a, 0));
       while (auto v = it->next())
         if (spend(), truth(*v)) return Value(true);
       return Value(false);
     }},
    {"all",
     [](const Args& a) {
       const IteratorPtr it = iterate(arg(a, 0));
       while (auto v = it->next())
         if (spend(), !truth(*v)) return Value(false);
       return Value(true);
     }},
    {"pow", [](const Args& a) { return binary("**", arg(a, 0), arg(a, 1)); }},
    {"divmod",
     [](const Args& a) {
       return Value(Tuple{{binary("//", arg(a, 0), arg(a, 1)), binary("%", arg(a, 0), arg(a, 1))}});
     }},
    {"ord",
     [](const Args& a) {
       const std::string& s = arg(a, 0).as_string();
       if (s.size() != 1) throw Error(ErrorKind::unsupported, "ord() of anything but one ASCII character");
       return Value(static_cast<int>(static_cast<unsigned char>(s[0])));
     }},
    {"callable", [](const Args& a) { return Value(arg(a, 0).is_object()); }},
    {"isinstance", [](const Args& a) { return Value(is_instance(arg(a, 0), arg(a, 1))); }},
    {"slice",
     [](const Args& a) {
       const bool one = a.positional.size() == 1;
       return Value(std::make_shared<Slice>(one ? Value() : arg(a, 0), one ? arg(a, 0) : arg(a, 1), has(a, 2) ? a.positional[2] : Value()));
     }},
    {"setattr", set_flag},
    {"print", print},
};
const Allow kEllipsis("Ellipsis", Value(std::make_shared<Ellipsis>()));

}  // namespace
}  // namespace vesal::bundle::expr
