#include "kernels/convolution_winograd_rows.h"

#include <cmath>

#include "kernels/activations.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convolution_winograd_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
constexpr std::int64_t kLanes = hn::MaxLanes(D());
constexpr float kRoot = 1.41421356f, kHalfRoot = 0.70710678f;

/// Each pair of points a and -a shares its even and its odd half.
void Inputs2(const float* row, std::int64_t tiles, float* out, std::int64_t step) {
  const D d;
  for (std::int64_t t = 0; t < tiles; ++t, row += 2 * 16, out += 16) {
    for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
      const auto in = [&](std::int64_t i) HWY_ATTR { return hn::LoadU(d, row + i * 16 + lane); };
      const auto store = [&](std::int64_t p, auto x) HWY_ATTR { hn::StoreU(x, d, out + p * step + lane); };
      const auto d1 = in(1), d2 = in(2);
      store(0, hn::Sub(d2, in(0)));
      store(1, hn::Add(d2, d1));
      store(2, hn::Sub(d2, d1));
      store(3, hn::Sub(in(3), d1));
    }
  }
}

void Inputs4(const float* row, std::int64_t tiles, float* out, std::int64_t step) {
  const D d;
  const auto two = hn::Set(d, 2.0f), half = hn::Set(d, 0.5f), both = hn::Set(d, 2.5f), root = hn::Set(d, kRoot), half_root = hn::Set(d, kHalfRoot);
  for (std::int64_t t = 0; t < tiles; ++t, row += 4 * 16, out += 16) {
    for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
      const auto in = [&](std::int64_t i) HWY_ATTR { return hn::LoadU(d, row + i * 16 + lane); };
      const auto store = [&](std::int64_t p, auto x) HWY_ATTR { hn::StoreU(x, d, out + p * step + lane); };
      const auto d1 = in(1), d2 = in(2), d3 = in(3), d4 = in(4);
      store(0, hn::NegMulAdd(both, d2, hn::Add(in(0), d4)));
      const auto even = hn::NegMulAdd(two, d2, d4), odd = hn::Mul(half_root, hn::NegMulAdd(two, d1, d3));
      store(1, hn::Add(even, odd));
      store(2, hn::Sub(even, odd));
      const auto even2 = hn::NegMulAdd(half, d2, d4), odd2 = hn::Mul(root, hn::NegMulAdd(half, d1, d3));
      store(3, hn::Add(even2, odd2));
      store(4, hn::Sub(even2, odd2));
      store(5, hn::NegMulAdd(both, d3, hn::Add(d1, in(5))));
    }
  }
}

void Outputs2(const float* sums, std::int64_t step, std::int64_t tiles, const float* bias, float* row) {
  const D d;
  for (std::int64_t t = 0; t < tiles; ++t, sums += 16, row += 2 * 16) {
    for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
      const auto product = [&](std::int64_t p) HWY_ATTR { return hn::LoadU(d, sums + p * step + lane); };
      const auto b = hn::LoadU(d, bias + lane), m1 = product(1), m2 = product(2);
      hn::StoreU(hn::Add(hn::Add(product(0), b), hn::Add(m1, m2)), d, row + lane);
      hn::StoreU(hn::Add(hn::Add(product(3), b), hn::Sub(m1, m2)), d, row + 16 + lane);
    }
  }
}

void Outputs4(const float* sums, std::int64_t step, std::int64_t tiles, const float* bias, float* row) {
  const D d;
  const auto two = hn::Set(d, 2.0f), half = hn::Set(d, 0.5f), root = hn::Set(d, kRoot), half_root = hn::Set(d, kHalfRoot);
  for (std::int64_t t = 0; t < tiles; ++t, sums += 16, row += 4 * 16) {
    for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
      const auto product = [&](std::int64_t p) HWY_ATTR { return hn::LoadU(d, sums + p * step + lane); };
      const auto store = [&](std::int64_t i, auto x) HWY_ATTR { hn::StoreU(x, d, row + i * 16 + lane); };
      const auto b = hn::LoadU(d, bias + lane), m1 = product(1), m2 = product(2), m3 = product(3), m4 = product(4);
      const auto even = hn::Add(m1, m2), even2 = hn::Add(m3, m4);
      const auto odd = hn::Mul(half_root, hn::Sub(m1, m2)), odd2 = hn::Mul(root, hn::Sub(m3, m4));
      store(0, hn::Add(hn::Add(product(0), b), hn::Add(even, even2)));
      store(1, hn::Add(b, hn::Add(odd, odd2)));
      store(2, hn::MulAdd(half, even, hn::MulAdd(two, even2, b)));
      store(3, hn::MulAdd(half, odd, hn::MulAdd(two, odd2, hn::Add(product(5), b))));
    }
  }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(Inputs2);
HWY_EXPORT(Inputs4);
HWY_EXPORT(Outputs2);
HWY_EXPORT(Outputs4);

/// Coefficients of the product of (x - a) over all points but one (`left_out`; none: -1), lowest power first.
std::vector<double> product_without(const std::vector<double>& points, std::size_t left_out) {
  std::vector<double> coefficients{1};
  for (std::size_t l = 0; l < points.size(); ++l) {
    if (l == left_out) continue;
    std::vector<double> next(coefficients.size() + 1, 0.0);
    for (std::size_t i = 0; i < coefficients.size(); ++i) next[i + 1] += coefficients[i], next[i] -= points[l] * coefficients[i];
    coefficients = std::move(next);
  }
  return coefficients;
}

WinogradForm form_of(const std::vector<double>& points) {
  WinogradForm f;
  const std::size_t n = points.size() + 1, m = n - 2;
  f.outputs = static_cast<std::int64_t>(m);
  f.products = static_cast<std::int64_t>(n);
  f.input.assign(n * n, 0.0);
  f.weight.assign(n * 3, 0.0);
  f.output.assign(m * n, 0.0);
  for (std::size_t p = 0; p < n; ++p) {
    const std::vector<double> row = product_without(points, p);  // for infinity, p past the last, of all points
    std::copy(row.begin(), row.end(), f.input.begin() + static_cast<std::ptrdiff_t>(p * n));
    if (p == points.size()) continue;
    double scale = 1;
    for (std::size_t l = 0; l < points.size(); ++l)
      if (l != p) scale *= points[p] - points[l];
    for (std::size_t k = 0; k < 3; ++k) f.weight[p * 3 + k] = std::pow(points[p], k) / scale;
    for (std::size_t i = 0; i < m; ++i) f.output[i * n + p] = std::pow(points[p], i);
  }
  f.weight[(n - 1) * 3 + 2] = 1;
  f.output[m * n - 1] = 1;
  return f;
}

/// A matrix times vectors of 16 lanes.
void multiply(const std::vector<double>& matrix, std::int64_t rows, std::int64_t columns, const float* in, std::int64_t in_step, const float* bias,
              float* out, std::int64_t out_step) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t lane = 0; lane < kBlock; ++lane) {
      float sum = bias ? bias[lane] : 0;
      for (std::int64_t c = 0; c < columns; ++c)
        sum += static_cast<float>(matrix[static_cast<std::size_t>(r * columns + c)]) * in[c * in_step + lane];
      out[r * out_step + lane] = sum;
    }
  }
}

}  // namespace

const WinogradForm& winograd_form(std::int64_t outputs) {
  static const WinogradForm two = form_of({0, 1, -1}), four = form_of({0, std::sqrt(0.5), -std::sqrt(0.5), std::sqrt(2.0), -std::sqrt(2.0)});
  return outputs == 2 ? two : four;
}

void winograd_inputs(std::int64_t outputs, const float* row, std::int64_t tiles, float* out, std::int64_t step) {
  const WinogradForm& f = winograd_form(outputs);
  if (!use_scalar()) outputs == 2 ? HWY_DYNAMIC_DISPATCH(Inputs2)(row, tiles, out, step) : HWY_DYNAMIC_DISPATCH(Inputs4)(row, tiles, out, step);
  else
    for (std::int64_t t = 0; t < tiles; ++t)
      multiply(f.input, f.products, f.products, row + t * outputs * kBlock, kBlock, nullptr, out + t * kBlock, step);
}

void winograd_outputs(std::int64_t outputs, const float* sums, std::int64_t step, std::int64_t tiles, const float* bias, float* row) {
  const WinogradForm& f = winograd_form(outputs);
  if (!use_scalar())
    outputs == 2 ? HWY_DYNAMIC_DISPATCH(Outputs2)(sums, step, tiles, bias, row) : HWY_DYNAMIC_DISPATCH(Outputs4)(sums, step, tiles, bias, row);
  else
    for (std::int64_t t = 0; t < tiles; ++t)
      multiply(f.output, f.outputs, f.products, sums + t * kBlock, step, bias, row + t * outputs * kBlock, kBlock);
}

}  // namespace vesal::kernels
#endif
