// Loops over voxel values: scaling, extremes, sums. Every step is rounded to T on its own, as a chain of tensor operations is.
#pragma once
#include <cstdint>
#include <limits>
#include <type_traits>

namespace vesal::kernels {

/// x = (x - subtract) / divide, then x * multiply + add if `map`.
template <class T>
void scale(T* x, std::int64_t n, T subtract, T divide, bool map, T multiply, T add) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - subtract) / divide;
  if (map)
    for (std::int64_t i = 0; i < n; ++i) x[i] = x[i] * multiply + add;
}

/// min(max(x, low), high); NaN stays.
template <class T>
void clamp(T* x, std::int64_t n, T low, T high) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T raised = x[i] < low ? low : x[i];
    x[i] = raised > high ? high : raised;
  }
}

template <class T>
struct Extremes {
  T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::lowest();
  bool nan = false;  ///< there was one
};

template <class T>
Extremes<T> extremes(const T* x, std::int64_t n) {
  Extremes<T> e;
  if constexpr (std::is_floating_point_v<T>) {
    e.low = std::numeric_limits<T>::infinity();
    e.high = -e.low;
  }
  bool nan = false;
  for (std::int64_t i = 0; i < n; ++i) {
    e.low = x[i] < e.low ? x[i] : e.low;
    e.high = x[i] > e.high ? x[i] : e.high;
    nan |= x[i] != x[i];
  }
  e.nan = nan;
  return e;
}

/// Sum of (x - center)^power for power 1 or 2 over all values, or over the nonzero ones; counts what it summed.
template <class T>
double moment(const T* x, std::int64_t n, double center, int power, bool nonzero, std::int64_t& count) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (nonzero && x[i] == T{}) continue;
    const double d = static_cast<double>(x[i]) - center;
    sum += power == 2 ? d * d : d;
    ++count;
  }
  return sum;
}

}  // namespace vesal::kernels
