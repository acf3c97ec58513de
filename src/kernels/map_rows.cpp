#include "kernels/map_rows.h"

#include "kernels/pointwise.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/map_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/pointwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using BlockTag = hn::CappedTag<float, kBlock>;

template <Function F>
void MapWhole(const float* in, const MapCoefficients& c, const Residual& r, std::int64_t count, float* out) {
  const BlockTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < count; i += kBlock)
    for (std::int64_t l = 0; l < kBlock; l += lanes) {
      auto x = hn::LoadU(d, in + i + l);
      if (c.scale) x = hn::MulAdd(x, hn::LoadU(d, c.scale + l), hn::LoadU(d, c.shift + l));
      auto added = hn::Zero(d);
      if (r.x) added = hn::LoadU(d, r.x + i + l);
      if (r.scale) added = hn::MulAdd(added, hn::LoadU(d, r.scale + l), hn::LoadU(d, r.shift + l));
      if (r.x && !r.after) x = hn::Add(x, added);
      x = Apply<F>(d, x, hn::LoadU(d, c.slope + l));
      if (r.x && r.after) x = hn::Add(x, added);
      hn::StoreU(x, d, out + i + l);
    }
}

void MapRow(const float* in, const MapCoefficients& c, const Residual& r, std::int64_t count, float* out) {
  WithFunction(c.function, [&](auto function) HWY_ATTR { MapWhole<function()>(in, c, r, count, out); });
}

template <Operation O>
void CombineWhole(const float* a, const float* b, bool repeats, std::int64_t count, float* out) {
  const BlockTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), step = repeats ? 0 : 1;
  for (std::int64_t i = 0; i < count; i += kBlock)
    for (std::int64_t l = 0; l < kBlock; l += lanes) {
      const auto x = hn::LoadU(d, a + i + l), y = hn::LoadU(d, b + i * step + l);
      if constexpr (O == Operation::add) hn::StoreU(hn::Add(x, y), d, out + i + l);
      else if constexpr (O == Operation::subtract) hn::StoreU(hn::Sub(x, y), d, out + i + l);
      else hn::StoreU(hn::Mul(x, y), d, out + i + l);
    }
}

void CombineRow(Operation operation, const float* a, const float* b, bool repeats, std::int64_t count, float* out) {
  if (operation == Operation::add) CombineWhole<Operation::add>(a, b, repeats, count, out);
  else if (operation == Operation::subtract) CombineWhole<Operation::subtract>(a, b, repeats, count, out);
  else CombineWhole<Operation::multiply>(a, b, repeats, count, out);
}

/// The means of the row, and the sums of the differences from them and of their squares.
void SumRow(const float* x, std::int64_t count, float* center, float* sum, float* squares) {
  const BlockTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t l = 0; l < kBlock; l += lanes) {
    auto s0 = hn::Zero(d), s1 = s0, q0 = s0, q1 = s0;
    std::int64_t i = 0;
    for (; i + kBlock < count; i += 2 * kBlock) {
      s0 = hn::Add(s0, hn::LoadU(d, x + i + l));
      s1 = hn::Add(s1, hn::LoadU(d, x + i + kBlock + l));
    }
    if (i < count) s0 = hn::Add(s0, hn::LoadU(d, x + i + l));
    const auto middle = hn::Mul(hn::Add(s0, s1), hn::Set(d, static_cast<float>(kBlock) / static_cast<float>(count)));
    s0 = s1 = hn::Zero(d);
    for (i = 0; i + kBlock < count; i += 2 * kBlock) {
      const auto a = hn::Sub(hn::LoadU(d, x + i + l), middle), b = hn::Sub(hn::LoadU(d, x + i + kBlock + l), middle);
      s0 = hn::Add(s0, a), s1 = hn::Add(s1, b);
      q0 = hn::MulAdd(a, a, q0), q1 = hn::MulAdd(b, b, q1);
    }
    if (i < count) {
      const auto a = hn::Sub(hn::LoadU(d, x + i + l), middle);
      s0 = hn::Add(s0, a), q0 = hn::MulAdd(a, a, q0);
    }
    hn::StoreU(middle, d, center + l);
    hn::StoreU(hn::Add(s0, s1), d, sum + l);
    hn::StoreU(hn::Add(q0, q1), d, squares + l);
  }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(MapRow);
HWY_EXPORT(CombineRow);
HWY_EXPORT(SumRow);

/// The part of a row that the vector forms take: whole blocks.
std::int64_t whole(std::int64_t count) { return use_scalar() ? 0 : count / kBlock * kBlock; }

}  // namespace

void map_row(const float* in, const MapCoefficients& c, const Residual& r, std::int64_t count, float* out) {
  const std::int64_t begin = whole(count);
  if (begin) HWY_DYNAMIC_DISPATCH(MapRow)(in, c, r, begin, out);
  for (std::int64_t i = begin; i < count; ++i) {
    const std::int64_t l = i % kBlock;
    float x = in[i];
    if (c.scale) x = x * c.scale[l] + c.shift[l];
    const float added = !r.x ? 0 : r.scale ? r.x[i] * r.scale[l] + r.shift[l] : r.x[i];
    if (r.x && !r.after) x += added;
    x = pointwise(c.function, x, c.slope[l]);
    out[i] = r.x && r.after ? x + added : x;
  }
}

void combine_row(Operation operation, const float* a, const float* b, bool repeats, std::int64_t count, float* out) {
  const std::int64_t begin = whole(count);
  if (begin) HWY_DYNAMIC_DISPATCH(CombineRow)(operation, a, b, repeats, begin, out);
  for (std::int64_t i = begin; i < count; ++i) {
    const float y = b[repeats ? i % kBlock : i];
    out[i] = operation == Operation::add ? a[i] + y : operation == Operation::subtract ? a[i] - y : a[i] * y;
  }
}

void sum_row(const float* x, std::int64_t count, double* sum, double* squares) {
  float center[kBlock], s[kBlock], q[kBlock];
  const std::int64_t begin = whole(count);
  if (begin) {
    HWY_DYNAMIC_DISPATCH(SumRow)(x, begin, center, s, q);
    const double n = static_cast<double>(begin / kBlock);
    for (std::int64_t l = 0; l < kBlock; ++l) {
      const double c = center[l];
      sum[l] += s[l] + n * c;
      squares[l] += q[l] + 2 * c * s[l] + n * c * c;
    }
  }
  for (std::int64_t i = begin; i < count; ++i) {
    const double a = x[i];
    sum[i % kBlock] += a;
    squares[i % kBlock] += a * a;
  }
}

}  // namespace vesal::kernels
#endif
