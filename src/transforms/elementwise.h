// Work on every voxel of an array, in parallel.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/array.h"
#include "base/parallel.h"
#include "kernels/intensity.h"

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

/// Smallest and largest value of a C-contiguous array of T.
template <class T>
kernels::Extremes<T> extremes_of(const Array& array) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  return reduce_blocks<T>(array, kernels::Extremes<T>{kInfinity, -kInfinity, false}, kernels::extremes<T>, [](const auto& a, const auto& b) {
    return kernels::Extremes<T>{std::min(a.low, b.low), std::max(a.high, b.high), a.nan || b.nan};
  });
}

struct Spread {
  double mean = 0, deviation = 0;
  std::int64_t count = 0;
};
/// Mean and standard deviation of the values, or of those that are not zero; the sum of squares is divided by count - less.
template <class T>
Spread spread_of(const Array& array, bool nonzero, int less) {
  struct Sum {
    double sum = 0;
    std::int64_t count = 0;
  };
  const auto moment = [&](double center, int power) {
    return reduce_blocks<T>(
        array, Sum{},
        [&](const T* p, std::int64_t n) {
          Sum s;
          s.sum = kernels::moment(p, n, center, power, nonzero, s.count);
          return s;
        },
        [](const Sum& a, const Sum& b) {
          return Sum{a.sum + b.sum, a.count + b.count};
        });
  };
  const Sum first = moment(0, 1);
  const double mean = first.sum / static_cast<double>(first.count);
  return {mean, std::sqrt(moment(mean, 2).sum / static_cast<double>(first.count - less)), first.count};
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
