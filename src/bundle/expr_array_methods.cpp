// Attributes and methods of arrays and Images: those of torch.Tensor and numpy.ndarray that configurations use.
#include <algorithm>
#include <map>

#include "base/device.h"
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

using Args = CallArgs;
using Method = Value (*)(const Value& self, const Args& args);

Array voxels(const Value& v) { return image::array_of(v); }

const Value* argument(const Args& a, std::size_t i, std::initializer_list<std::string_view> names) {
  for (const auto& [n, v] : a.named)
    if (std::find(names.begin(), names.end(), n) != names.end()) return &v;
  return i < a.positional.size() ? &a.positional[i] : nullptr;
}

/// f(1, 2) and f((1, 2)) mean the same.
std::vector<std::int64_t> numbers(const Args& a) {
  const bool one = a.positional.size() == 1 && a.positional[0].is_sequence();
  return cast<std::vector<std::int64_t>>(one ? a.positional[0] : Value(List{a.positional}));
}
int axis_of(const Value& v, std::int64_t dim) {
  const std::int64_t axis = v.as_int() < 0 ? v.as_int() + dim : v.as_int();
  if (axis < 0 || axis >= dim) fail("axis " + v.repr() + " of an array of " + std::to_string(dim) + " axes");
  return static_cast<int>(axis);
}

Value reduce(const char* op, const Value& self, const Args& a) {
  const Value* axis = argument(a, 0, {"dim", "axis"});
  const Value* keep = argument(a, 1, {"keepdim", "keepdims"});
  std::vector<std::int64_t> axes;
  if (axis && !axis->is_none()) axes = cast<std::vector<std::int64_t>>(*axis);
  return array_reduce(op, self, axes, keep && truth(*keep));
}

Value extreme_place(const Value& self, const Args& a, bool most) {
  Array in = voxels(self);
  const Value* axis = argument(a, 0, {"dim", "axis"});
  const bool whole = !axis || axis->is_none();
  const int at = whole ? 0 : axis_of(*axis, in.dim());
  if (whole) in = in.reshape({-1});
  std::vector<int> order;
  Shape shape;
  for (int i = 0; i < in.dim(); ++i)
    if (i != at) order.push_back(i), shape.push_back(in.size(i));
  order.push_back(at);
  const std::int64_t n = in.size(at);
  if (n == 0) fail("argmax of an empty array");
  const Array rows = in.permute(order).to(DType::f64).contiguous();
  Array out = Array::empty(shape, DType::i64);
  const double* p = rows.data<double>();
  for (std::int64_t k = 0; k < out.numel(); ++k) {
    const double* row = p + k * n;
    out.data<std::int64_t>()[k] = most ? std::max_element(row, row + n) - row : std::min_element(row, row + n) - row;
  }
  return with_place(self, out);
}

/// x.to("cpu"), x.to(torch.float32), x.astype(np.uint8), x.to(other): a device changes nothing here.
Value cast_to(const Value& self, const Args& a) {
  Value result = self;
  auto use = [&](const Value& v) {
    std::optional<DType> type;
    if (v.is_dtype()) type = v.as_dtype();
    else if (v.is_string()) type = dtype_from_name(v.as_string());
    else if (const auto f = v.object<Function>()) type = dtype_from_name(f->name() == "int" ? "int64" : f->name() == "float" ? "float64" : f->name());
    else if (is_arrayish(v)) type = voxels(v).dtype();
    if (type) result = with_place(result, voxels(result).to(*type));
    else if (!v.object<Device>() && !v.is_string() && !v.is_bool() && !v.is_none()) fail("to() does not understand " + v.type_name());
  };
  for (const Value& v : a.positional) use(v);
  for (const auto& [name, v] : a.named)
    if (name == "dtype" || name == "device") use(v);
  return result;
}

Value clamp(const Value& self, const Args& a) {
  const Value* low = argument(a, 0, {"min", "a_min"});
  const Value* high = argument(a, 1, {"max", "a_max"});
  Value v = self;
  if (low && !low->is_none()) v = array_binary("max", v, *low);
  if (high && !high->is_none()) v = array_binary("min", v, *high);
  return v;
}

Value squeeze(const Value& self, const Args& a) {
  Array x = voxels(self);
  if (const Value* axis = argument(a, 0, {"dim", "axis"})) {
    const int i = axis_of(*axis, x.dim());
    return with_place(self, x.size(i) == 1 ? x.squeeze(i) : x);
  }
  for (int i = x.dim() - 1; i >= 0; --i)
    if (x.size(i) == 1) x = x.squeeze(i);
  return with_place(self, x);
}

Value transpose(const Value& self, const Args& a) {
  const Array x = voxels(self);
  std::vector<std::int64_t> axes = numbers(a);
  std::vector<int> order(static_cast<std::size_t>(x.dim()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  if (axes.empty()) std::reverse(order.begin(), order.end());
  else if (axes.size() == 2)
    std::swap(order[static_cast<std::size_t>(axis_of(axes[0], x.dim()))], order[static_cast<std::size_t>(axis_of(axes[1], x.dim()))]);
  else order = cast<std::vector<int>>(Value(a.positional.size() == 1 ? a.positional[0] : Value(List{a.positional})));
  return x.permute(order);
}

Value permute(const Value& self, const Args& a) {
  std::vector<int> order;
  for (const std::int64_t i : numbers(a)) order.push_back(static_cast<int>(i));
  return voxels(self).permute(order);
}

Value flip(const Value& self, const Args& a) {
  Array x = voxels(self);
  for (const std::int64_t i : numbers(a)) x = x.flip(axis_of(i, x.dim()));
  return x;
}

Value shape_of(const Value& self) {
  Tuple t;
  for (const auto n : array_shape(self)) t.items.emplace_back(n);
  return t;
}

template <DType type>
Value as(const Value& self, const Args&) {
  return with_place(self, voxels(self).to(type));
}
Value same(const Value& self, const Args&) { return self; }
Value copy(const Value& self, const Args&) { return with_place(self, voxels(self).clone()); }

const std::map<std::string, Method, std::less<>> kMethods{
    {"to", cast_to},
    {"astype", cast_to},
    {"type", cast_to},
    {"float", as<DType::f32>},
    {"double", as<DType::f64>},
    {"half", as<DType::f16>},
    {"int", as<DType::i32>},
    {"long", as<DType::i64>},
    {"short", as<DType::i16>},
    {"byte", as<DType::u8>},
    {"bool", as<DType::boolean>},
    {"cpu", same},
    {"cuda", same},
    {"detach", same},
    {"contiguous", same},
    {"requires_grad_", same},
    {"clone", copy},
    {"copy", copy},
    {"numpy", [](const Value& self, const Args&) { return Value(voxels(self)); }},
    {"as_tensor", [](const Value& self, const Args&) { return Value(voxels(self)); }},
    {"item",
     [](const Value& self, const Args&) {
       if (voxels(self).numel() != 1) fail("item() of an array of " + std::to_string(voxels(self).numel()) + " elements");
       return array_to_list(voxels(self).reshape({}));
     }},
    {"tolist", [](const Value& self, const Args&) { return array_to_list(voxels(self)); }},
    {"sum", [](const Value& self, const Args& a) { return reduce("sum", self, a); }},
    {"mean", [](const Value& self, const Args& a) { return reduce("mean", self, a); }},
    {"std", [](const Value& self, const Args& a) { return reduce("std", self, a); }},
    {"min", [](const Value& self, const Args& a) { return reduce("min", self, a); }},
    {"max", [](const Value& self, const Args& a) { return reduce("max", self, a); }},
    {"amin", [](const Value& self, const Args& a) { return reduce("min", self, a); }},
    {"amax", [](const Value& self, const Args& a) { return reduce("max", self, a); }},
    {"prod", [](const Value& self, const Args& a) { return reduce("prod", self, a); }},
    {"any", [](const Value& self, const Args& a) { return reduce("any", self, a); }},
    {"all", [](const Value& self, const Args& a) { return reduce("all", self, a); }},
    {"argmax", [](const Value& self, const Args& a) { return extreme_place(self, a, true); }},
    {"argmin", [](const Value& self, const Args& a) { return extreme_place(self, a, false); }},
    {"clamp", clamp},
    {"clip", clamp},
    {"squeeze", squeeze},
    {"transpose", transpose},
    {"permute", permute},
    {"flip", flip},
    {"unsqueeze",
     [](const Value& self, const Args& a) {
       const Array x = voxels(self);
       const Value* axis = argument(a, 0, {"dim"});
       if (!axis) fail("unsqueeze needs an axis");
       return with_place(self, x.unsqueeze(axis_of(*axis, x.dim() + 1)));
     }},
    {"reshape", [](const Value& self, const Args& a) { return with_place(self, voxels(self).reshape(numbers(a))); }},
    {"view", [](const Value& self, const Args& a) { return with_place(self, voxels(self).reshape(numbers(a))); }},
    {"flatten", [](const Value& self, const Args&) { return Value(voxels(self).reshape({-1})); }},
    {"numel", [](const Value& self, const Args&) { return Value(voxels(self).numel()); }},
    {"dim", [](const Value& self, const Args&) { return Value(static_cast<std::int64_t>(array_shape(self).size())); }},
    {"size",
     [](const Value& self, const Args& a) {
       const Value shape = shape_of(self);
       return a.positional.empty() ? shape : item(shape, a.positional[0]);
     }},
};

}  // namespace

std::optional<Value> array_attribute(const Value& self, const std::string& name) {
  if (name == "shape") return shape_of(self);
  if (name == "ndim") return Value(static_cast<std::int64_t>(array_shape(self).size()));
  if (name == "dtype") return Value(voxels(self).dtype());
  if (name == "T") return transpose(self, {});
  if (name == "device") return Value(std::make_shared<Device>("cpu", -1));
  const auto it = kMethods.find(name);
  if (it != kMethods.end()) return make_function("array." + name, [self, f = it->second](const CallArgs& a) { return f(self, a); });
  if (array_map(name, Array::zeros({}, DType::f32)))
    return make_function("array." + name, [self, name](const CallArgs&) { return *array_map(name, self); });
  return std::nullopt;
}

}  // namespace vesal::bundle::expr
