#include "bundle/allow_arrays.h"

#include <algorithm>

#include "base/registry.h"
#include "bundle/allow.h"
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle {
namespace {

using expr::array_from;
using expr::is_arrayish;

bool is_torch(const std::string& name) { return name.starts_with("torch."); }

/// The argument as an array; `scalar` says that it was a plain number.
Value operand(const std::string& function, const Value& v, bool* scalar = nullptr) {
  if (scalar) *scalar = v.is_number();
  if (is_arrayish(v)) return v;
  return array_from(v, !is_torch(function));
}

Value first(const std::string& function, const CallArgs& args) {
  if (args.positional.empty()) expr::fail(function + " needs an argument");
  return args.positional[0];
}

/// np.f(x, ...) means x.f(...).
void allow_method(const std::string& function, const std::string& method) {
  allowed::add(function, make_function(function, [function, method](const CallArgs& args) {
                 bool scalar = false;
                 const Value x = operand(function, first(function, args), &scalar);
                 CallArgs rest{{args.positional.begin() + 1, args.positional.end()}, args.named};
                 const Value result = call_value(expr::attribute(x, method), rest);
                 return scalar && result.is_array() && result.as_array().dim() == 0 ? expr::array_to_list(result.as_array()) : result;
               }));
}

void allow_operator(const std::string& function, const std::string& op) {
  allowed::add(function, make_function(function, [function, op](const CallArgs& args) {
                 if (args.positional.size() < 2) expr::fail(function + " needs two arguments");
                 return expr::array_binary(op, operand(function, args.positional[0]), args.positional[1]);
               }));
}

Value joined(const std::string& function, const CallArgs& call, bool stacked) {
  const Args a = bind(function, {required("tensors", "arrays"), optional("dim", 0, "axis"), optional("axis", nullptr, "axis")}, call);
  std::vector<Array> parts;
  std::int64_t bytes = 0;
  std::optional<DType> type;
  for (const Value& v : drain(a["tensors"])) {
    parts.push_back(image::array_of(operand(function, v)));
    type = type ? expr::promote(*type, parts.back().dtype()) : parts.back().dtype();
    bytes += parts.back().numel() * 8;
  }
  if (parts.empty()) expr::fail(function + " of nothing");
  expr::spend_bytes(bytes);
  for (Array& part : parts) part = part.to(*type);
  const int axis = a.is_none("axis") ? a.get<int>("dim") : a.get<int>("axis");
  const int axes = parts[0].dim() + (stacked ? 1 : 0);
  if (axis < -axes || axis >= axes) expr::fail("axis " + std::to_string(axis) + " of an array of " + std::to_string(axes) + " axes");
  return stacked ? stack(parts, axis < 0 ? axis + axes : axis) : concatenate(parts, axis < 0 ? axis + axes : axis);
}

Value filled(const std::string& function, const CallArgs& args, double value) {
  const Value* type = named_argument(args, "dtype");
  const DType fallback = is_torch(function) ? DType::f32 : DType::f64;
  Array a = fresh_array(shape_argument(args), type ? dtype_of_value(*type).value_or(fallback) : fallback);
  a.fill(value);
  return a;
}

Value like(const std::string& function, const CallArgs& args, double value) {
  const Value x = operand(function, first(function, args));
  const Value* type = named_argument(args, "dtype");
  const DType own = image::array_of(x).dtype();
  Array a = fresh_array(expr::array_shape(x), type ? dtype_of_value(*type).value_or(own) : own);
  a.fill(value);
  return expr::with_place(x, a);
}

Value full(const std::string& function, const CallArgs& call) {
  const Args a =
      bind(function,
           {required("shape", "extents"), required("fill_value", "a number"), optional("dtype", nullptr, ""), optional("device", nullptr, "ignored")},
           call);
  const bool fraction = a["fill_value"].is_float();
  const DType fallback = !fraction ? DType::i64 : is_torch(function) ? DType::f32 : DType::f64;
  Array x = fresh_array(a.get<std::vector<std::int64_t>>("shape"), dtype_of_value(a["dtype"]).value_or(fallback));
  x.fill(a.get<double>("fill_value"));
  return x;
}

Value arange(const std::string& function, const CallArgs& args) {
  const auto& p = args.positional;
  if (p.empty() || p.size() > 3) expr::fail(function + " takes one to three numbers");
  const bool fraction = std::any_of(p.begin(), p.end(), [](const Value& v) { return v.is_float(); });
  const double begin = p.size() > 1 ? p[0].as_float() : 0, end = p[p.size() > 1 ? 1 : 0].as_float(), step = p.size() > 2 ? p[2].as_float() : 1;
  if (step == 0 || !std::isfinite(begin) || !std::isfinite(end)) expr::fail(function + " without end");
  const double count = std::max(0.0, std::ceil((end - begin) / step));
  if (!(count < static_cast<double>(1ll << 40))) throw Error(ErrorKind::memory, function + " of too many numbers");
  const Value* type = named_argument(args, "dtype");
  const DType fallback = !fraction ? DType::i64 : is_torch(function) ? DType::f32 : DType::f64;
  Array x = fresh_array({static_cast<std::int64_t>(count)}, DType::f64);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<double>()[i] = begin + static_cast<double>(i) * step;
  return x.to(type ? dtype_of_value(*type).value_or(fallback) : fallback);
}

Value linspace(const std::string& function, const CallArgs& call) {
  const Args a = bind(function, {required("start", ""), required("end", ""), required("steps", "how many")}, call);
  const std::int64_t n = a.get<std::int64_t>("steps");
  const double begin = a.get<double>("start"), end = a.get<double>("end");
  if (n < 0) expr::fail(function + " of " + std::to_string(n) + " numbers");
  Array x = fresh_array({n}, DType::f64);
  for (std::int64_t i = 0; i < n; ++i)
    x.data<double>()[i] = n == 1 ? begin : begin + (end - begin) * static_cast<double>(i) / static_cast<double>(n - 1);
  return x.to(is_torch(function) ? DType::f32 : DType::f64);
}

Value eye(const std::string& function, const CallArgs& args) {
  const std::int64_t n = first(function, args).as_int();
  if (n < 0) expr::fail(function + " of " + std::to_string(n));
  Array x = fresh_array({n, n}, is_torch(function) ? DType::f32 : DType::f64);
  x.fill(0);
  for (std::int64_t i = 0; i < n; ++i) x.select(0, i).select(0, i).fill(1);
  return x;
}

Value made(const std::string& function, const CallArgs& call) {
  const Args a = bind(function,
                      {required("data", "numbers"), optional("dtype", nullptr, ""), optional("device", nullptr, "ignored"),
                       optional("requires_grad", false, "ignored"), optional("copy", true, "ignored")},
                      call);
  const Array x = image::array_of(operand(function, a["data"]));
  return x.to(dtype_of_value(a["dtype"]).value_or(x.dtype()));
}

Value where(const std::string& function, const CallArgs& args) {
  if (args.positional.size() != 3) expr::fail(function + " takes a condition and two values");
  return expr::array_where(args.positional[0], args.positional[1], args.positional[2]);
}

Value nan_to_num(const std::string& function, const CallArgs& call) {
  const Args a = bind(function, {required("input", ""), optional("nan", 0.0, "in place of NaN")}, call);
  const Value x = operand(function, a["input"]);
  return expr::array_where(*expr::array_map("isnan", x), a["nan"], x);
}

Value negated(const std::string& function, const CallArgs& args) { return expr::array_binary("==", operand(function, first(function, args)), 0); }

Value expand_dims(const std::string& function, const CallArgs& call) {
  const Args a = bind(function, {required("a", ""), required("axis", "")}, call);
  return call_value(expr::attribute(operand(function, a["a"]), "unsqueeze"), {{a["axis"]}, {}});
}

/// Registers what numpy and torch both have.
struct Both {
  Both() {
    for (const std::string package : {"numpy.", "torch."}) {
      for (const char* name : {"abs",  "sqrt",  "exp",  "log",   "log2",     "log10",  "log1p", "sin",     "cos",     "tanh",      "floor",
                               "ceil", "round", "sign", "isnan", "isfinite", "sum",    "mean",  "std",     "min",     "max",       "amin",
                               "amax", "prod",  "any",  "all",   "argmax",   "argmin", "clip",  "squeeze", "reshape", "transpose", "flip"})
        allow_method(package + name, name);
      for (const auto& [name, op] : {std::pair{"maximum", "max"},
                                     {"minimum", "min"},
                                     {"add", "+"},
                                     {"subtract", "-"},
                                     {"multiply", "*"},
                                     {"divide", "/"},
                                     {"logical_and", "&"},
                                     {"logical_or", "|"},
                                     {"logical_xor", "^"},
                                     {"equal", "=="},
                                     {"greater", ">"},
                                     {"less", "<"}})
        allow_operator(package + name, op);
      using Maker = Value (*)(const std::string&, const CallArgs&);
      for (const auto& [name, f] : std::initializer_list<std::pair<const char*, Maker>>{
               {"zeros", [](const std::string&f, const CallArgs&a) { return filled(f, a, 0); }},
               {"ones", [](const std::string&f, const CallArgs&a) { return filled(f, a, 1); }},
               {"zeros_like", [](const std::string&f, const CallArgs&a) { return like(f, a, 0); }},
               {"ones_like", [](const std::string&f, const CallArgs&a) { return like(f, a, 1); }},
               {"full", full},
               {"arange", arange},
               {"linspace", linspace},
               {"eye", eye},
               {"where", where},
               {"nan_to_num", nan_to_num},
               {"logical_not", negated},
               {package == "numpy." ? "array" : "tensor", made},
               {package == "numpy." ? "asarray" : "as_tensor", made},
               {package == "numpy." ? "expand_dims" : "from_numpy", package == "numpy." ? expand_dims : made},
               {"concatenate", [](const std::string&f, const CallArgs&a) { return joined(f, a, false); }},
               {package == "numpy." ? "concat" : "cat", [](const std::string&f, const CallArgs&a) { return joined(f, a, false); }},
               {"stack", [](const std::string&f, const CallArgs&a) { return joined(f, a, true); }}}) {
        const std::string function = package + name;
        allowed::add(function, make_function(function, [function, f = f](const CallArgs& args) { return f(function, args); }));
      }
    }
    for (const char* name : {"sigmoid", "relu", "clamp", "unsqueeze", "permute", "flatten", "numel"})
      allow_method(std::string("torch.") + name, name);
    allowed::add("monai.transforms.concatenate", *allowed::find("numpy.concatenate"));
  }
};
const Both both;

}  // namespace

std::optional<DType> dtype_of_value(const Value& v) {
  if (v.is_none()) return std::nullopt;
  if (v.is_dtype()) return v.as_dtype();
  std::string name = v.is_string() ? v.as_string() : "";
  if (const auto f = v.object<Function>()) name = f->name();
  if (name == "float") return DType::f64;
  if (name == "int") return DType::i64;
  if (const auto type = dtype_from_name(name)) return type;
  expr::fail(v.repr() + " is no type of an array");
}

Array fresh_array(const Shape& shape, DType type) {
  expr::spend_bytes(numel_of(shape) * static_cast<std::int64_t>(size_of(type)));
  return Array::empty(shape, type);
}

Shape shape_argument(const CallArgs& args) {
  const Value* named = named_argument(args, "size");
  if (!named) named = named_argument(args, "shape");
  if (named) return cast<Shape>(*named);
  if (args.positional.empty()) expr::fail("a shape is missing");
  return cast<Shape>(args.positional[0].is_sequence() ? args.positional[0] : Value(List{args.positional}));
}

const Value* named_argument(const CallArgs& args, std::string_view name) {
  for (const auto& [n, v] : args.named)
    if (n == name) return &v;
  return nullptr;
}

}  // namespace vesal::bundle
