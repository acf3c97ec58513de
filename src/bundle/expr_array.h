// Arithmetic, comparison and indexing of arrays and Images in expressions, with torch's broadcasting and type promotion.
#pragma once
#include <string_view>

#include "base/value.h"

namespace vesal::bundle::expr {

/// An Array or an Image.
bool is_arrayish(const Value& v);
Shape array_shape(const Value& v);
/// Element-wise with broadcasting. The result is an Image, with the place of the first Image among the operands, when its
/// spatial extents (the last three axes) are the same; else a plain array. Throws Error(shape) if the shapes do not go together.
Value array_binary(std::string_view op, const Value& a, const Value& b);
Value array_unary(std::string_view op, const Value& a);
bool array_truth(const Value& v);
/// a[key]: integers, slices, None, "...", lists of indices on one axis, a boolean mask of the same shape, and tuples of these.
/// Views where possible. An Image stays one while its last three axes keep their extents.
Value array_item(const Value& v, const Value& key);
/// A result with the place of `like` if that is an Image and still fits.
Value with_place(const Value& like, Array result);
/// The type of an operation on both.
DType promote(DType a, DType b);
/// Shapes broadcast together; throws Error(shape).
Shape broadcast(const Shape& a, const Shape& b);
/// condition ? a : b, element-wise.
Value array_where(const Value& condition, const Value& a, const Value& b);
/// "sum", "mean", "min", "max", "any", "all", "prod", "std" over all elements or some axes.
Value array_reduce(std::string_view op, const Value& v, const std::vector<std::int64_t>& axes, bool keep);
/// "abs", "sqrt", "exp", "log", "floor", "ceil", "round", "sin", "cos", "isnan", ...; nothing if unknown.
std::optional<Value> array_map(std::string_view op, const Value& v);
/// Nested lists of numbers as an array; throws Error(shape) if ragged. Python floats become f32 (torch) or f64 (`wide`).
Array array_from(const Value& v, bool wide);
/// The array as nested lists of numbers.
Value array_to_list(const Array& a);

}  // namespace vesal::bundle::expr
