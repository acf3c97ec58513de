// Array: a shared, strided, typed block of numbers in host memory; what NumPy's ndarray is to Python.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"

namespace vesal {

using Shape = std::vector<std::int64_t>;

/// "[1, 96, 96, 96]"
std::string to_string(const Shape& shape);
/// Product of the extents; throws Error(shape) on a negative extent and Error(memory) on overflow.
std::int64_t numel_of(const Shape& shape);

/// A handle: copying shares the memory, as views do. Writing through one handle is seen through all.
/// Strides are in elements and may be negative (flip) or zero (expand). Fresh arrays are C-contiguous, 64-byte aligned.
class Array {
 public:
  Array() = default;
  static Array empty(Shape shape, DType type);
  static Array zeros(Shape shape, DType type);
  static Array full(Shape shape, DType type, double value);
  /// Uses foreign memory; `owner` keeps it alive. Strides in elements; empty strides mean C order.
  static Array wrap(void* data, Shape shape, DType type, std::shared_ptr<void> owner, Shape strides = {});
  template <class T>
  static Array from(std::span<const T> values, Shape shape);
  template <class T>
  static Array from(std::initializer_list<T> values, Shape shape) {
    return from(std::span<const T>(values.begin(), values.size()), std::move(shape));
  }

  bool defined() const { return data_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Shape& strides() const { return strides_; }
  std::int64_t size(int axis) const;
  int dim() const { return static_cast<int>(shape_.size()); }
  DType dtype() const { return type_; }
  std::int64_t numel() const { return numel_; }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel_) * size_of(type_); }
  bool is_contiguous() const;

  /// Pointer to the first element. Neighbours follow strides(): call contiguous() first to read linearly.
  void* raw() { return data_; }
  const void* raw() const { return data_; }
  template <class T>
  T* data() {
    check_type(dtype_of<T>());
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    check_type(dtype_of<T>());
    return static_cast<const T*>(data_);
  }

  Array contiguous() const;          ///< itself if C-contiguous, else a copy
  Array clone() const;               ///< a fresh C-contiguous copy
  Array to(DType type) const;        ///< itself if of that type already, else a converted C-contiguous copy
  void copy_from(const Array& src);  ///< element-wise copy with conversion into this memory; same shape
  void fill(double value);

  // Views: no copying. Negative axes count from the end.
  Array permute(std::span<const int> axes) const;
  Array flip(int axis) const;
  Array slice(int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const;
  Array select(int axis, std::int64_t index) const;  ///< drops the axis
  Array squeeze(int axis) const;
  Array unsqueeze(int axis) const;
  Array expand(const Shape& shape) const;  ///< broadcasts extents of 1
  Array reshape(Shape shape) const;        ///< one extent may be -1; copies only if strides demand it

  double item() const;  ///< the only element, as double
  double at(std::span<const std::int64_t> index) const;
  double at(std::initializer_list<std::int64_t> index) const { return at(std::span(index.begin(), index.size())); }

 private:
  void check_type(DType wanted) const;
  std::shared_ptr<void> owner_;
  void* data_ = nullptr;
  Shape shape_, strides_;
  DType type_ = DType::f32;
  std::int64_t numel_ = 0;
};

Array concatenate(std::span<const Array> parts, int axis);
Array stack(std::span<const Array> parts, int axis);

template <class T>
Array Array::from(std::span<const T> values, Shape shape) {
  Array a = empty(std::move(shape), dtype_of<T>());
  if (a.numel() != static_cast<std::int64_t>(values.size()))
    throw Error(ErrorKind::shape, std::to_string(values.size()) + " values for shape " + to_string(a.shape()));
  if (!values.empty()) std::memcpy(a.raw(), values.data(), values.size_bytes());
  return a;
}

}  // namespace vesal
