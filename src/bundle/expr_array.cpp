#include "bundle/expr_array.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

using image::Image;

constexpr std::int64_t kBlock = 4096;

/// An operand: an array of the result's shape, or one number for all elements.
struct Operand {
  Array array;
  double number = 0;
  std::int64_t integer = 0;
  bool scalar = false;
};

template <class C>
void load(const Operand& o, std::int64_t begin, std::int64_t n, C* out) {
  if (o.scalar) {
    std::fill_n(out, n, std::is_integral_v<C> ? static_cast<C>(o.integer) : static_cast<C>(o.number));
    return;
  }
  visit_dtype(o.array.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* in = static_cast<const T*>(o.array.raw()) + begin;
    for (std::int64_t i = 0; i < n; ++i) out[i] = convert<C>(in[i]);
  });
}

template <class C>
void store(Array& result, std::int64_t begin, std::int64_t n, const C* values) {
  visit_dtype(result.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = static_cast<T*>(result.raw()) + begin;
    for (std::int64_t i = 0; i < n; ++i) out[i] = convert<T>(values[i]);
  });
}

template <class C>
C floor_div(C a, C b) {
  if constexpr (std::is_integral_v<C>) {
    if (b == 0) return 0;
    if (b == -1) return static_cast<C>(0 - static_cast<std::uint64_t>(a));
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);
  } else {
    return std::floor(a / b);
  }
}
template <class C>
C wrap(std::uint64_t v) {
  return static_cast<C>(v);
}

/// One block of an operation, in the type C; integers wrap around as torch's do.
template <class C>
void apply(std::string_view op, const C* a, const C* b, C* r, std::int64_t n) {
  auto each = [&](auto f) {
    for (std::int64_t i = 0; i < n; ++i) r[i] = static_cast<C>(f(a[i], b[i]));
  };
  if (op == "==") return each([](C x, C y) { return x == y; });
  if (op == "!=") return each([](C x, C y) { return x != y; });
  if (op == "<") return each([](C x, C y) { return x < y; });
  if (op == "<=") return each([](C x, C y) { return x <= y; });
  if (op == ">") return each([](C x, C y) { return x > y; });
  if (op == ">=") return each([](C x, C y) { return x >= y; });
  if (op == "//") return each([](C x, C y) { return floor_div(x, y); });
  if (op == "max") return each([](C x, C y) { return x > y || x != x ? x : y; });
  if (op == "min") return each([](C x, C y) { return x < y || x != x ? x : y; });
  if constexpr (std::is_integral_v<C>) {
    using U = std::uint64_t;
    if (op == "+") return each([](C x, C y) { return wrap<C>(U(x) + U(y)); });
    if (op == "-") return each([](C x, C y) { return wrap<C>(U(x) - U(y)); });
    if (op == "*") return each([](C x, C y) { return wrap<C>(U(x) * U(y)); });
    if (op == "%") return each([](C x, C y) { return y == 0 ? 0 : wrap<C>(U(x) - U(floor_div(x, y)) * U(y)); });
    if (op == "&") return each([](C x, C y) { return x & y; });
    if (op == "|") return each([](C x, C y) { return x | y; });
    if (op == "^") return each([](C x, C y) { return x ^ y; });
    if (op == "**")
      return each([](C x, C y) {
        U result = y < 0 ? 0 : 1, base = U(x);
        for (C e = std::max<C>(y, 0); e > 0; e >>= 1, base *= base)
          if (e & 1) result *= base;
        return wrap<C>(result);
      });
  } else {
    if (op == "+") return each([](C x, C y) { return x + y; });
    if (op == "-") return each([](C x, C y) { return x - y; });
    if (op == "*") return each([](C x, C y) { return x * y; });
    if (op == "/") return each([](C x, C y) { return x / y; });
    if (op == "%") return each([](C x, C y) { return x - std::floor(x / y) * y; });
    if (op == "**") return each([](C x, C y) { return std::pow(x, y); });
  }
  fail("'" + std::string(op) + "' does not go with these arrays");
}

template <class C>
Array run(std::string_view op, const Operand& a, const Operand& b, const Shape& shape, DType type) {
  Array result = Array::empty(shape, type);
  parallel_for((result.numel() + kBlock - 1) / kBlock, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<C> x(kBlock), y(kBlock), r(kBlock);
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t at = block * kBlock, n = std::min(kBlock, result.numel() - at);
      load(a, at, n, x.data());
      load(b, at, n, y.data());
      apply<C>(op, x.data(), y.data(), r.data(), n);
      store(result, at, n, r.data());
    }
  });
  return result;
}

Array voxels(const Value& v) { return image::array_of(v); }

bool is_category_scalar(const Value& v) { return !is_arrayish(v) || array_shape(v).empty(); }
bool has_fraction(const Value& v) { return v.is_float() || (is_arrayish(v) && is_floating(voxels(v).dtype())); }

/// torch's rule: a scalar changes the type only when it is of a higher kind (a float with integers, a number with bools).
DType common_type(const Value& a, const Value& b) {
  const bool sa = is_category_scalar(a), sb = is_category_scalar(b);
  auto own = [](const Value& v) {
    return is_arrayish(v) ? voxels(v).dtype() : v.is_float() ? DType::f32 : v.is_bool() ? DType::boolean : DType::i64;
  };
  if (sa == sb) return promote(own(a), own(b));
  const Value& array = sa ? b : a;
  const Value& scalar = sa ? a : b;
  const DType type = own(array);
  if (is_floating(type)) return type;
  if (has_fraction(scalar)) return DType::f32;
  if (type == DType::boolean && own(scalar) != DType::boolean) return DType::i64;
  return type;
}

Operand operand(const Value& v, const Shape& shape) {
  Operand o;
  if (!is_arrayish(v)) {
    if (!v.is_number()) fail("an array does not go with " + v.type_name());
    o.scalar = true;
    o.number = v.as_float();
    o.integer = v.is_float() ? static_cast<std::int64_t>(std::clamp(v.as_float(), -9.2e18, 9.2e18)) : v.as_int();
    return o;
  }
  const Array a = voxels(v);
  if (a.shape() != shape) spend_bytes(numel_of(shape) * static_cast<std::int64_t>(size_of(a.dtype())));
  o.array = (a.shape() == shape ? a : a.expand(shape)).contiguous();
  return o;
}

}  // namespace

bool is_arrayish(const Value& v) { return v.is_array() || (v.is_object() && v.object<Image>()); }

Shape array_shape(const Value& v) { return v.is_array() ? v.as_array().shape() : v.object<Image>()->shape(); }

DType promote(DType a, DType b) {
  if (a == b || b == DType::boolean) return a;
  if (a == DType::boolean) return b;
  if (is_floating(a) != is_floating(b)) return is_floating(a) ? a : b;
  if (is_floating(a)) return size_of(a) == size_of(b) ? DType::f32 : size_of(a) > size_of(b) ? a : b;
  auto is_signed = [](DType t) { return t == DType::i8 || t == DType::i16 || t == DType::i32 || t == DType::i64; };
  if (is_signed(a) == is_signed(b)) return size_of(a) >= size_of(b) ? a : b;
  const DType s = is_signed(a) ? a : b, u = is_signed(a) ? b : a;
  if (size_of(s) > size_of(u)) return s;
  return size_of(u) == 1 ? DType::i16 : size_of(u) == 2 ? DType::i32 : DType::i64;
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) throw Error(ErrorKind::shape, "shapes " + to_string(a) + " and " + to_string(b) + " do not go together");
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Value with_place(const Value& like, Array result) {
  const auto image = like.is_object() ? like.object<Image>() : nullptr;
  if (!image) return result;
  const Shape before = image->shape();
  const Shape& after = result.shape();
  const std::size_t spatial = std::min<std::size_t>(3, std::max<std::size_t>(before.size(), 1) - (before.size() > 3 ? 1 : 0));
  if (after.size() < spatial ||
      !std::equal(before.end() - static_cast<std::ptrdiff_t>(spatial), before.end(), after.end() - static_cast<std::ptrdiff_t>(spatial)))
    return result;
  return image::to_value(image->with(std::move(result)));
}

Value array_binary(std::string_view op, const Value& a, const Value& b) {
  const bool comparison = op == "==" || op == "!=" || op[0] == '<' || op[0] == '>';
  const DType common = common_type(a, b);
  DType type = comparison ? DType::boolean : common;
  if (op == "/" && !is_floating(common)) type = DType::f32;
  const Shape none;
  const Shape shape = broadcast(is_arrayish(a) ? array_shape(a) : none, is_arrayish(b) ? array_shape(b) : none);
  spend_bytes(numel_of(shape) * static_cast<std::int64_t>(size_of(type)));
  const Operand x = operand(a, shape), y = operand(b, shape);
  Array result = common == DType::f64                                         ? run<double>(op, x, y, shape, type)
                 : is_floating(common) || (op == "/" && !is_floating(common)) ? run<float>(op, x, y, shape, type)
                                                                              : run<std::int64_t>(op, x, y, shape, type);
  return with_place(a.is_object() ? a : b, std::move(result));
}

Value array_unary(std::string_view op, const Value& a) {
  if (op == "+") return a;
  const DType type = voxels(a).dtype();
  if (op == "-") return array_binary("-", 0, a);
  if (is_floating(type)) fail("'~' does not go with an array of " + std::string(name_of(type)));
  return type == DType::boolean ? array_binary("==", a, false) : array_binary("-", -1, a);
}

bool array_truth(const Value& v) { return Value(voxels(v)).truthy(); }

Value array_where(const Value& condition, const Value& a, const Value& b) {
  const Shape none;
  Shape shape = is_arrayish(condition) ? array_shape(condition) : none;
  for (const Value* v : {&a, &b})
    if (is_arrayish(*v)) shape = broadcast(shape, array_shape(*v));
  const DType type = common_type(a, b);
  spend_bytes(numel_of(shape) * static_cast<std::int64_t>(size_of(type)));
  const Operand c = operand(condition, shape), x = operand(a, shape), y = operand(b, shape);
  Array result = Array::empty(shape, type);
  parallel_for((result.numel() + kBlock - 1) / kBlock, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> choose(kBlock), u(kBlock), w(kBlock);
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t at = block * kBlock, n = std::min(kBlock, result.numel() - at);
      load(c, at, n, choose.data());
      load(x, at, n, u.data());
      load(y, at, n, w.data());
      for (std::int64_t i = 0; i < n; ++i)
        u[static_cast<std::size_t>(i)] = choose[static_cast<std::size_t>(i)] != 0 ? u[static_cast<std::size_t>(i)] : w[static_cast<std::size_t>(i)];
      store(result, at, n, u.data());
    }
  });
  return with_place(condition, std::move(result));
}

std::optional<Value> array_map(std::string_view op, const Value& v) {
  using F = double (*)(double);
  static const std::map<std::string_view, F> kFunctions{{"abs", [](double x) { return std::fabs(x); }},
                                                        {"sqrt", [](double x) { return std::sqrt(x); }},
                                                        {"exp", [](double x) { return std::exp(x); }},
                                                        {"log", [](double x) { return std::log(x); }},
                                                        {"sin", [](double x) { return std::sin(x); }},
                                                        {"cos", [](double x) { return std::cos(x); }},
                                                        {"tanh", [](double x) { return std::tanh(x); }},
                                                        {"floor", [](double x) { return std::floor(x); }},
                                                        {"ceil", [](double x) { return std::ceil(x); }},
                                                        {"round", [](double x) { return std::nearbyint(x); }},
                                                        {"sign", [](double x) { return x > 0   ? 1.0
                                                                                       : x < 0 ? -1.0
                                                                                               : x; }},
                                                        {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
                                                        {"relu", [](double x) { return x > 0 ? x : 0; }},
                                                        {"isnan", [](double x) { return std::isnan(x) ? 1.0 : 0.0; }},
                                                        {"isfinite", [](double x) { return std::isfinite(x) ? 1.0 : 0.0; }},
                                                        {"log2", [](double x) { return std::log2(x); }},
                                                        {"log10", [](double x) { return std::log10(x); }},
                                                        {"log1p", [](double x) { return std::log1p(x); }}};
  const auto it = kFunctions.find(op);
  if (it == kFunctions.end()) return std::nullopt;
  const Array in = voxels(v).contiguous();
  const bool keeps = op == "abs" || op == "sign" || op == "round" || op == "floor" || op == "ceil" || op == "relu";
  const DType type = op == "isnan" || op == "isfinite" ? DType::boolean : is_floating(in.dtype()) || keeps ? in.dtype() : DType::f32;
  spend_bytes(in.numel() * static_cast<std::int64_t>(size_of(type)));
  Array result = Array::empty(in.shape(), type);
  const Operand x{in};
  parallel_for((in.numel() + kBlock - 1) / kBlock, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> u(kBlock);
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t at = block * kBlock, n = std::min(kBlock, in.numel() - at);
      load(x, at, n, u.data());
      std::transform(u.begin(), u.begin() + n, u.begin(), it->second);
      store(result, at, n, u.data());
    }
  });
  return with_place(v, std::move(result));
}

}  // namespace vesal::bundle::expr
