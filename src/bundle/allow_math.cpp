// math
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "bundle/allow.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle {
namespace {

double number(const CallArgs& args, std::size_t i = 0) {
  if (i >= args.positional.size()) expr::fail("argument " + std::to_string(i + 1) + " is missing");
  return args.positional[i].as_float();
}

/// A function of one number; outside of its domain Python raises, where C gives NaN.
template <double (*f)(double)>
Value unary(const CallArgs& args) {
  const double x = number(args), y = f(x);
  if (std::isnan(y) && !std::isnan(x)) expr::fail("math domain error");
  return y;
}

template <double (*f)(double)>
Value to_integer(const CallArgs& args) {
  const double y = f(number(args));
  if (!(std::fabs(y) < 9.2e18)) expr::fail("a number beyond 64 bits");
  return static_cast<std::int64_t>(y);
}

Value product(const CallArgs& args) {
  if (args.positional.empty()) expr::fail("math.prod needs numbers");
  Value total = 1;
  for (const Value& v : drain(args.positional[0])) total = expr::binary("*", total, v);
  return total;
}

Value logarithm(const CallArgs& args) {
  const double x = number(args);
  if (!(x > 0)) expr::fail("math domain error");
  return args.positional.size() > 1 ? std::log(x) / std::log(number(args, 1)) : std::log(x);
}

const AllowFunctions functions{
    {"math.sqrt", unary<std::sqrt>},
    {"math.exp", unary<std::exp>},
    {"math.log", logarithm},
    {"math.log2", unary<std::log2>},
    {"math.log10", unary<std::log10>},
    {"math.sin", unary<std::sin>},
    {"math.cos", unary<std::cos>},
    {"math.tan", unary<std::tan>},
    {"math.atan", unary<std::atan>},
    {"math.fabs", unary<std::fabs>},
    {"math.floor", to_integer<std::floor>},
    {"math.ceil", to_integer<std::ceil>},
    {"math.trunc", to_integer<std::trunc>},
    {"math.pow", [](const CallArgs& a) { return Value(std::pow(number(a), number(a, 1))); }},
    {"math.atan2", [](const CallArgs& a) { return Value(std::atan2(number(a), number(a, 1))); }},
    {"math.radians", [](const CallArgs& a) { return Value(number(a) * std::numbers::pi / 180); }},
    {"math.degrees", [](const CallArgs& a) { return Value(number(a) * 180 / std::numbers::pi); }},
    {"math.isnan", [](const CallArgs& a) { return Value(std::isnan(number(a))); }},
    {"math.isinf", [](const CallArgs& a) { return Value(std::isinf(number(a))); }},
    {"math.gcd",
     [](const CallArgs& a) {
       std::int64_t g = 0;
       for (const Value& v : a.positional) {
         if (v.as_int() == std::numeric_limits<std::int64_t>::min()) expr::fail("a number beyond 64 bits");
         g = std::gcd(g, v.as_int());
       }
       return Value(g);
     }},
    {"math.prod", product},
};
const Allow constants[]{{"math.pi", std::numbers::pi},
                        {"math.e", std::numbers::e},
                        {"math.inf", std::numeric_limits<double>::infinity()},
                        {"math.nan", std::numeric_limits<double>::quiet_NaN()}};

}  // namespace
}  // namespace vesal::bundle
