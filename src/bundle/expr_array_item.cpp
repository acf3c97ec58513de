// Indexing, reductions and conversion of arrays.
#include <algorithm>
#include <cmath>

#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

bool is_mask(const Value& v) { return is_arrayish(v) && image::array_of(v).dtype() == DType::boolean; }

Array masked(const Array& a, const Array& mask) {
  if (mask.shape() != a.shape())
    throw Error(ErrorKind::shape, "a mask " + to_string(mask.shape()) + " does not fit an array " + to_string(a.shape()));
  const Array from = a.contiguous(), chosen = mask.contiguous();
  const bool* m = chosen.data<bool>();
  const std::int64_t n = std::count(m, m + chosen.numel(), true);
  Array out = Array::empty({n}, a.dtype());
  const std::size_t width = size_of(a.dtype());
  char* to = static_cast<char*>(out.raw());
  const char* source = static_cast<const char*>(from.raw());
  for (std::int64_t i = 0; i < from.numel(); ++i)
    if (m[i]) std::memcpy(std::exchange(to, to + width), source + static_cast<std::size_t>(i) * width, width);
  return out;
}

Array gather(const Array& a, int axis, const Value& indices) {
  std::vector<Array> parts;
  const std::vector<Value> list = drain(indices);
  if (list.empty()) return a.slice(axis, 0, 0);
  spend_bytes(static_cast<std::int64_t>(list.size()) * (a.size(axis) ? a.numel() / a.size(axis) : 0) * static_cast<std::int64_t>(size_of(a.dtype())));
  for (const Value& v : list) {
    const std::int64_t raw = v.is_array() ? static_cast<std::int64_t>(v.as_array().item()) : v.as_int();
    const std::int64_t i = raw < 0 ? raw + a.size(axis) : raw;
    if (i < 0 || i >= a.size(axis)) fail("index " + std::to_string(raw) + " is outside of an axis of " + std::to_string(a.size(axis)));
    parts.push_back(a.slice(axis, i, i + 1));
  }
  return concatenate(parts, axis);
}

Array take_slice(const Array& a, int axis, const Slice& slice) {
  const Span s = slice.span(a.size(axis));
  if (s.count == 0) return a.slice(axis, 0, 0);
  if (s.count == 1) return a.slice(axis, s.begin, s.begin + 1);
  if (s.step > 0) return a.slice(axis, s.begin, s.begin + (s.count - 1) * s.step + 1, s.step);
  const std::int64_t n = a.size(axis), first = n - 1 - s.begin;
  return a.flip(axis).slice(axis, first, first + (s.count - 1) * -s.step + 1, -s.step);
}

}  // namespace

Value array_item(const Value& v, const Value& key) {
  Array a = image::array_of(v);
  if (is_mask(key)) return masked(a, image::array_of(key));
  const std::vector<Value> keys = key.is_tuple() ? key.items() : std::vector<Value>{key};
  const auto consuming = std::count_if(keys.begin(), keys.end(), [](const Value& k) { return !k.is_none() && !k.object<Ellipsis>(); });
  if (consuming > a.dim()) fail(std::to_string(consuming) + " indices for an array of " + std::to_string(a.dim()) + " axes");
  if (keys.size() > 64) fail("too many indices");
  int axis = 0;
  bool lists = false;
  for (const Value& k : keys) {
    if (k.is_none()) {
      a = a.unsqueeze(axis++);
    } else if (k.object<Ellipsis>()) {
      const auto after = std::count_if(&k + 1, keys.data() + keys.size(), [](const Value& later) { return !later.is_none(); });
      axis = a.dim() - static_cast<int>(after);
    } else if (const auto slice = k.object<Slice>()) {
      a = take_slice(a, axis++, *slice);
    } else if (k.is_list() || (is_arrayish(k) && !array_shape(k).empty())) {
      if (lists) throw Error(ErrorKind::unsupported, "an index with more than one list");
      lists = true;
      a = gather(a, axis++, k);
    } else {
      const std::int64_t raw = is_arrayish(k) ? static_cast<std::int64_t>(image::array_of(k).item()) : k.as_int();
      const std::int64_t i = raw < 0 ? raw + a.size(axis) : raw;
      if (i < 0 || i >= a.size(axis)) fail("index " + std::to_string(raw) + " is outside of an axis of " + std::to_string(a.size(axis)));
      a = a.select(axis, i);
    }
  }
  return with_place(v, std::move(a));
}

Value array_reduce(std::string_view op, const Value& v, const std::vector<std::int64_t>& axes, bool keep) {
  Array a = image::array_of(v);
  std::vector<bool> drop(static_cast<std::size_t>(a.dim()), axes.empty());
  for (const std::int64_t axis : axes) {
    const std::int64_t i = axis < 0 ? axis + a.dim() : axis;
    if (i < 0 || i >= a.dim()) fail("axis " + std::to_string(axis) + " of an array of " + std::to_string(a.dim()) + " axes");
    drop[static_cast<std::size_t>(i)] = true;
  }
  // The axes to drop go last, so that each result is one run of numbers.
  std::vector<int> order;
  Shape shape, kept_shape;
  for (int i = 0; i < a.dim(); ++i) {
    const bool dropped = drop[static_cast<std::size_t>(i)];
    if (!dropped) order.push_back(i), shape.push_back(a.size(i));
    kept_shape.push_back(dropped ? 1 : a.size(i));
  }
  for (int i = 0; i < a.dim(); ++i)
    if (drop[static_cast<std::size_t>(i)]) order.push_back(i);
  const bool extreme = op == "min" || op == "max", logical = op == "any" || op == "all";
  const bool whole = !is_floating(a.dtype()) && (op == "sum" || op == "prod");
  const DType type = logical ? DType::boolean : extreme ? a.dtype() : whole ? DType::i64 : is_floating(a.dtype()) ? a.dtype() : DType::f32;
  Array out = Array::zeros(shape, type);
  const std::int64_t run = out.numel() ? a.numel() / out.numel() : 0;
  if (run == 0 && (extreme || op == "mean")) fail(std::string(op) + "() of an empty array");
  const Array in = a.permute(order).contiguous();
  visit_dtype(in.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = static_cast<const T*>(in.raw());
    std::vector<double> results(static_cast<std::size_t>(out.numel()));
    for (std::int64_t k = 0; k < out.numel(); ++k) {
      double r = op == "prod" || op == "all" ? 1 : extreme ? convert<double>(p[k * run]) : 0, square = 0;
      for (std::int64_t i = 0; i < run; ++i) {
        const double x = convert<double>(p[k * run + i]);
        if (op == "min") r = x < r || x != x ? x : r;
        else if (op == "max") r = x > r || x != x ? x : r;
        else if (op == "prod") r *= x;
        else if (op == "any") r = r != 0 || x != 0;
        else if (op == "all") r = r != 0 && x != 0;
        else r += x;
      }
      if (op == "mean" || op == "std") r /= static_cast<double>(run);
      if (op == "std") {
        for (std::int64_t i = 0; i < run; ++i) square += std::pow(convert<double>(p[k * run + i]) - r, 2);
        r = std::sqrt(square / static_cast<double>(std::max<std::int64_t>(run - 1, 1)));
      }
      results[static_cast<std::size_t>(k)] = r;
    }
    out = Array::from<double>(results, shape).to(type);
  });
  return keep ? out.reshape(kept_shape) : out;
}

Array array_from(const Value& v, bool wide) {
  if (is_arrayish(v)) return image::array_of(v);
  Shape shape;
  std::vector<double> numbers;
  std::vector<std::int64_t> integers;
  bool fraction = false, boolean = true;
  std::function<void(const Value&, std::size_t)> walk = [&](const Value& x, std::size_t depth) {
    if (depth > 32) fail("an array of more than 32 axes");
    if (x.is_number()) {
      if (depth != shape.size()) throw Error(ErrorKind::shape, "rows of different lengths");
      fraction = fraction || x.is_float();
      boolean = boolean && x.is_bool();
      numbers.push_back(x.as_float());
      integers.push_back(x.is_float() ? 0 : x.as_int());
      return;
    }
    const std::vector<Value> items = is_arrayish(x) ? array_to_list(image::array_of(x)).items() : drain(x);
    spend(static_cast<std::int64_t>(items.size()));
    if (numbers.empty() && depth == shape.size()) shape.push_back(static_cast<std::int64_t>(items.size()));
    if (depth >= shape.size() || shape[depth] != static_cast<std::int64_t>(items.size())) throw Error(ErrorKind::shape, "rows of different lengths");
    for (const Value& item : items) walk(item, depth + 1);
  };
  walk(v, 0);
  if (numbers.empty()) return Array::zeros(shape, wide ? DType::f64 : DType::f32);
  if (boolean) return Array::from<double>(numbers, shape).to(DType::boolean);
  if (!fraction) return Array::from<std::int64_t>(integers, shape);
  return Array::from<double>(numbers, shape).to(wide ? DType::f64 : DType::f32);
}

Value array_to_list(const Array& a) {
  if (a.dim() == 0) {
    if (a.dtype() == DType::boolean) return a.item() != 0;
    if (is_floating(a.dtype())) return a.item();
    return static_cast<std::int64_t>(a.dtype() == DType::i64 ? *a.data<std::int64_t>() : static_cast<std::int64_t>(a.item()));
  }
  if (a.numel() > kMaxItems) throw Error(ErrorKind::refused, "an array of more than " + std::to_string(kMaxItems) + " elements as a list");
  List list;
  for (std::int64_t i = 0; i < a.size(0); ++i) spend(), list.items.push_back(array_to_list(a.select(0, i)));
  return list;
}

}  // namespace vesal::bundle::expr
