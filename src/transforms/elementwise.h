// Work on every voxel of an array, in parallel.
#pragma once
#include <algorithm>
#include <vector>

#include "base/array.h"
#include "base/parallel.h"

namespace vesal::transforms {

/// A fresh C-contiguous copy as `type`, made in parallel.
Array copy_as(const Array& in, DType type);

/// Applies work(pointer, count) to disjoint blocks that cover a C-contiguous array of T, in parallel.
template <class T, class Work>
void for_each_block(Array& array, Work&& work) {
  T* p = array.data<T>();
  parallel_for(array.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) { work(p + begin, end - begin); });
}

/// Sums work(pointer, count) over blocks whose bounds do not depend on the number of threads, so that neither do the bits of the sum.
template <class T, class Result, class Work, class Join>
Result reduce_blocks(const Array& array, Result start, Work&& work, Join&& join) {
  constexpr std::int64_t kBlock = 1 << 16;
  const T* p = array.data<T>();
  const std::int64_t n = array.numel(), blocks = (n + kBlock - 1) / kBlock;
  std::vector<Result> parts(static_cast<std::size_t>(blocks), start);
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) parts[b] = work(p + b * kBlock, std::min(kBlock, n - b * kBlock));
  });
  Result total = start;
  for (const Result& part : parts) total = join(total, part);
  return total;
}

/// The type intensities are computed in: float64 for float64, else float32.
inline DType working_type(DType type) { return type == DType::f64 ? DType::f64 : DType::f32; }

/// Calls f(T{}) with T = float or double, the working type of `array`.
template <class F>
decltype(auto) visit_working(const Array& array, F&& f) {
  if (array.dtype() == DType::f64) return f(double{});
  return f(float{});
}

/// A copy in the working type with work(channel, pointer, count) done on blocks of every channel of [C, ...], in parallel.
template <class Work>
Array worked_copy(const Array& in, Work&& work) {
  Array out = copy_as(in, working_type(in.dtype()));
  visit_working(out, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t c = 0; c < out.size(0); ++c) {
      Array channel = out.select(0, c);
      for_each_block<T>(channel, [&](T* p, std::int64_t n) { work(c, p, n); });
    }
  });
  return out;
}

/// `array` converted to `type` in parallel; itself if it has it already.
inline Array converted(const Array& array, DType type) { return array.dtype() == type ? array : copy_as(array, type); }

}  // namespace vesal::transforms
