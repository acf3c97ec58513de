#include "base/array.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/parallel.h"

namespace vesal {
namespace {

/// A product that wraps around: strides of arrays without elements, and of axes of one, may be anything.
std::int64_t wrapping(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

Shape c_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step = wrapping(step, std::max<std::int64_t>(shape[i], 1));
  }
  return strides;
}

int checked_axis(int axis, int dim) {
  const int a = axis < 0 ? axis + dim : axis;
  if (a < 0 || a >= dim) throw Error(ErrorKind::shape, "axis " + std::to_string(axis) + " of an array with " + std::to_string(dim) + " axes");
  return a;
}

/// Calls row(offset, n, stride) for every row along the densest axis.
template <class Row>
void for_each_row(const Shape& shape, const Shape& strides, Row&& row) {
  const int dim = static_cast<int>(shape.size());
  if (dim == 0) return row(0, 1, 1);
  std::vector<int> order(dim);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int x, int y) { return std::abs(strides[x]) > std::abs(strides[y]); });
  const int in = order.back();
  Shape index(dim, 0);
  for (;;) {
    std::int64_t offset = 0;
    for (int i = 0; i < dim; ++i) offset += index[i] * strides[i];
    row(offset, shape[in], strides[in]);
    int k = dim - 2;
    for (; k >= 0; --k) {
      const int axis = order[k];
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
    if (k < 0) return;
  }
}

/// Copies with conversion, in parallel, in tiles along the axes that are densest in the destination and in the source: one walks a
/// transposition's cache lines a few times at most that way.
template <class To, class From>
void copy_tiled(const Shape& shape, To* to, const Shape& to_strides, const From* from, const Shape& from_strides) {
  const int dim = static_cast<int>(shape.size());
  if (dim == 0) {
    *to = convert<To>(*from);
    return;
  }
  const auto denser = [&](const Shape& strides) {
    return [&](int x, int y) { return std::pair(shape[x] == 1, std::abs(strides[x])) < std::pair(shape[y] == 1, std::abs(strides[y])); };
  };
  std::vector<int> axes(dim);
  std::iota(axes.begin(), axes.end(), 0);
  std::stable_sort(axes.begin(), axes.end(), denser(to_strides));
  const int in = axes[0];
  axes.erase(axes.begin());
  int across = -1;  // the other axis of a tile
  if (!axes.empty()) {
    const auto best = std::min_element(axes.begin(), axes.end(), denser(from_strides));
    across = *best;
    axes.erase(best);
  }
  const std::int64_t n = shape[in], tn = to_strides[in], fn = from_strides[in];
  const std::int64_t m = across < 0 ? 1 : shape[across], tm = across < 0 ? 0 : to_strides[across], fm = across < 0 ? 0 : from_strides[across];
  const bool rows = std::abs(fn) <= std::abs(fm) || m == 1;  // both are densest along the same axis
  constexpr std::int64_t kTile = 16;
  const std::int64_t tile = rows ? n : kTile, strips = (m + kTile - 1) / kTile;
  std::int64_t outer = 1;
  for (const int axis : axes) outer *= shape[axis];
  parallel_for(outer * strips, std::max<std::int64_t>(1, (1 << 16) / (n * kTile)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      std::int64_t rest = item / strips, ot = 0, of = 0;
      for (const int axis : axes) {
        const std::int64_t i = rest % shape[axis];
        rest /= shape[axis];
        ot += i * to_strides[axis], of += i * from_strides[axis];
      }
      const std::int64_t first = item % strips * kTile, last = std::min(m, first + kTile);
      for (std::int64_t left = 0; left < n; left += tile) {
        const std::int64_t width = std::min(tile, n - left);
        for (std::int64_t k = first; k < last; ++k) {
          To* t = to + ot + k * tm + left * tn;
          const From* f = from + of + k * fm + left * fn;
          if (std::is_same_v<To, From> && tn == 1 && fn == 1) std::memcpy(static_cast<void*>(t), f, static_cast<std::size_t>(width) * sizeof(To));
          else if (tn == 1 && fn == 1)
            for (std::int64_t i = 0; i < width; ++i) t[i] = convert<To>(f[i]);
          else
            for (std::int64_t i = 0; i < width; ++i) t[i * tn] = convert<To>(f[i * fn]);
        }
      }
    }
  });
}

}  // namespace

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + std::to_string(shape[i]);
  return s + "]";
}

std::int64_t numel_of(const Shape& shape) {
  std::int64_t n = 1;
  for (std::int64_t extent : shape) {
    if (extent < 0) throw Error(ErrorKind::shape, "negative extent in shape " + to_string(shape));
    if (__builtin_mul_overflow(n, extent, &n)) throw Error(ErrorKind::memory, "shape " + to_string(shape) + " is too large");
  }
  return n;
}

Array Array::empty(Shape shape, DType type) {
  Array a;
  a.numel_ = numel_of(shape);
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(a.numel_, static_cast<std::int64_t>(size_of(type)), &bytes) || bytes > std::numeric_limits<std::int64_t>::max() - 64)
    throw Error(ErrorKind::memory, "an array of shape " + to_string(shape) + " is too large");
  const std::size_t rounded = (static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)) + 63) / 64 * 64;
  a.data_ = std::aligned_alloc(64, rounded);
  if (!a.data_) throw Error(ErrorKind::memory, "no memory for an array of shape " + to_string(shape) + " (" + std::to_string(bytes >> 20) + " MiB)");
  a.owner_ = std::shared_ptr<void>(a.data_, std::free);
  a.strides_ = c_strides(shape);
  a.shape_ = std::move(shape);
  a.type_ = type;
  return a;
}

Array Array::zeros(Shape shape, DType type) {
  Array a = empty(std::move(shape), type);
  std::memset(a.data_, 0, a.nbytes());
  return a;
}

Array Array::full(Shape shape, DType type, double value) {
  Array a = empty(std::move(shape), type);
  a.fill(value);
  return a;
}

Array Array::wrap(void* data, Shape shape, DType type, std::shared_ptr<void> owner, Shape strides) {
  Array a;
  a.numel_ = numel_of(shape);
  a.strides_ = strides.empty() ? c_strides(shape) : std::move(strides);
  if (a.strides_.size() != shape.size()) throw Error(ErrorKind::internal, "strides and shape differ in length");
  a.shape_ = std::move(shape);
  a.data_ = data;
  a.owner_ = std::move(owner);
  a.type_ = type;
  return a;
}

std::int64_t Array::size(int axis) const { return shape_[checked_axis(axis, dim())]; }

bool Array::is_contiguous() const {
  if (numel_ == 0) return true;
  std::int64_t step = 1;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != step) return false;
    step *= shape_[i];
  }
  return true;
}

Array Array::contiguous() const { return is_contiguous() ? *this : clone(); }

Array Array::clone() const {
  Array a = empty(shape_, type_);
  a.copy_from(*this);
  return a;
}

Array Array::to(DType type) const {
  if (type == type_) return *this;
  Array a = empty(shape_, type);
  a.copy_from(*this);
  return a;
}

void Array::copy_from(const Array& src) {
  if (src.shape_ != shape_) throw Error(ErrorKind::shape, "copying an array of shape " + to_string(src.shape_) + " into " + to_string(shape_));
  if (numel_ == 0) return;
  if (src.type_ == type_ && is_contiguous() && src.is_contiguous()) {
    std::memcpy(data_, src.data_, nbytes());
    return;
  }
  visit_dtype(type_, [&](auto to_tag) {
    visit_dtype(src.type_, [&](auto from_tag) {
      using To = typename decltype(to_tag)::type;
      using From = typename decltype(from_tag)::type;
      copy_tiled(shape_, static_cast<To*>(data_), strides_, static_cast<const From*>(src.data_), src.strides_);
    });
  });
}

void Array::fill(double value) {
  visit_dtype(type_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T v = convert<T>(value);
    if (numel_ == 0) return;
    for_each_row(shape_, strides_, [&](auto o, auto n, auto s) {
      T* p = static_cast<T*>(data_) + o;
      for (std::int64_t i = 0; i < n; ++i) p[i * s] = v;
    });
  });
}

Array Array::permute(std::span<const int> axes) const {
  if (static_cast<int>(axes.size()) != dim()) throw Error(ErrorKind::shape, "permute wants one entry per axis");
  std::vector<bool> seen(axes.size(), false);
  Array a = *this;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = checked_axis(axes[i], dim());
    if (seen[axis]) throw Error(ErrorKind::shape, "permute names an axis twice");
    seen[axis] = true;
    a.shape_[i] = shape_[axis];
    a.strides_[i] = strides_[axis];
  }
  return a;
}

Array Array::flip(int axis) const {
  axis = checked_axis(axis, dim());
  Array a = *this;
  if (shape_[axis] > 0) a.data_ = static_cast<char*>(data_) + (shape_[axis] - 1) * strides_[axis] * static_cast<std::int64_t>(size_of(type_));
  a.strides_[axis] = -strides_[axis];
  return a;
}

Array Array::slice(int axis, std::int64_t begin, std::int64_t end, std::int64_t step) const {
  axis = checked_axis(axis, dim());
  if (step < 1 || begin < 0 || end > shape_[axis] || begin > end)
    throw Error(ErrorKind::shape, "slice " + std::to_string(begin) + ":" + std::to_string(end) + ":" + std::to_string(step) + " of axis " +
                                      std::to_string(axis) + " in shape " + to_string(shape_));
  Array a = *this;
  a.data_ = static_cast<char*>(data_) + begin * strides_[axis] * static_cast<std::int64_t>(size_of(type_));
  a.shape_[axis] = (end - begin) / step + ((end - begin) % step != 0);
  a.strides_[axis] = wrapping(strides_[axis], step);
  a.numel_ = numel_of(a.shape_);
  return a;
}

Array Array::select(int axis, std::int64_t index) const {
  axis = checked_axis(axis, dim());
  const std::int64_t i = index < 0 ? index + shape_[axis] : index;
  if (i < 0 || i >= shape_[axis])
    throw Error(ErrorKind::shape, "index " + std::to_string(index) + " of axis " + std::to_string(axis) + " in shape " + to_string(shape_));
  return slice(axis, i, i + 1).squeeze(axis);
}

Array Array::squeeze(int axis) const {
  axis = checked_axis(axis, dim());
  if (shape_[axis] != 1) throw Error(ErrorKind::shape, "cannot squeeze axis " + std::to_string(axis) + " of shape " + to_string(shape_));
  Array a = *this;
  a.shape_.erase(a.shape_.begin() + axis);
  a.strides_.erase(a.strides_.begin() + axis);
  return a;
}

Array Array::unsqueeze(int axis) const {
  axis = checked_axis(axis, dim() + 1);
  Array a = *this;
  const std::int64_t stride = axis < dim() ? wrapping(strides_[axis], shape_[axis]) : 1;
  a.shape_.insert(a.shape_.begin() + axis, 1);
  a.strides_.insert(a.strides_.begin() + axis, stride);
  return a;
}

Array Array::expand(const Shape& shape) const {
  if (shape.size() < shape_.size()) throw Error(ErrorKind::shape, "cannot expand " + to_string(shape_) + " to " + to_string(shape));
  Array a = *this;
  const std::size_t lead = shape.size() - shape_.size();
  a.shape_ = shape;
  a.strides_.assign(shape.size(), 0);
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    if (shape_[i] != shape[lead + i] && shape_[i] != 1)
      throw Error(ErrorKind::shape, "cannot expand " + to_string(shape_) + " to " + to_string(shape));
    a.strides_[lead + i] = shape_[i] == shape[lead + i] ? strides_[i] : 0;
  }
  a.numel_ = numel_of(shape);
  return a;
}

Array Array::reshape(Shape shape) const {
  std::int64_t known = 1;
  int hole = -1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && hole < 0) hole = static_cast<int>(i);
    else if (shape[i] < 0 || __builtin_mul_overflow(known, shape[i], &known)) throw Error(ErrorKind::shape, "cannot reshape to " + to_string(shape));
  }
  if (hole >= 0) shape[hole] = known > 0 ? numel_ / known : 0;
  if (numel_of(shape) != numel_) throw Error(ErrorKind::shape, "cannot reshape " + to_string(shape_) + " to " + to_string(shape));
  Array a = contiguous();
  a.strides_ = c_strides(shape);
  a.shape_ = std::move(shape);
  return a;
}

double Array::item() const {
  if (numel_ != 1) throw Error(ErrorKind::shape, "one element wanted, shape is " + to_string(shape_));
  return visit_dtype(type_, [&](auto tag) { return convert<double>(*static_cast<const typename decltype(tag)::type*>(data_)); });
}

double Array::at(std::span<const std::int64_t> index) const {
  if (static_cast<int>(index.size()) != dim()) throw Error(ErrorKind::shape, "index has the wrong number of axes");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || index[i] >= shape_[i]) throw Error(ErrorKind::shape, "index out of range in shape " + to_string(shape_));
    offset += index[i] * strides_[i];
  }
  return visit_dtype(type_, [&](auto tag) { return convert<double>(static_cast<const typename decltype(tag)::type*>(data_)[offset]); });
}

void Array::check_type(DType wanted) const {
  if (wanted != type_) throw Error(ErrorKind::shape, "array is " + std::string(name_of(type_)) + ", " + std::string(name_of(wanted)) + " wanted");
}

Array concatenate(std::span<const Array> parts, int axis) {
  if (parts.empty()) throw Error(ErrorKind::shape, "nothing to concatenate");
  axis = checked_axis(axis, parts[0].dim());
  Shape shape = parts[0].shape();
  shape[axis] = 0;
  for (const Array& p : parts) {
    Shape other = p.shape();
    if (other.size() != shape.size()) throw Error(ErrorKind::shape, "arrays to concatenate differ in number of axes");
    shape[axis] += other[axis];
    other[axis] = parts[0].shape()[axis];
    if (other != parts[0].shape())
      throw Error(ErrorKind::shape, "cannot concatenate " + to_string(p.shape()) + " with " + to_string(parts[0].shape()));
  }
  Array out = Array::empty(shape, parts[0].dtype());
  std::int64_t at = 0;
  for (const Array& p : parts) {
    out.slice(axis, at, at + p.size(axis)).copy_from(p);
    at += p.size(axis);
  }
  return out;
}

Array stack(std::span<const Array> parts, int axis) {
  std::vector<Array> raised;
  raised.reserve(parts.size());
  for (const Array& p : parts) raised.push_back(p.unsqueeze(axis < 0 ? axis + p.dim() + 1 : axis));
  return concatenate(raised, axis);
}

}  // namespace vesal
