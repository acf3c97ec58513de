#include "kernels/half_sums.h"

#include <algorithm>

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/half_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Without instructions for float16 Highway stands in for them, but cuts off and loses NaN: there the plain form does all.
#if HWY_TARGET <= HWY_AVX2

/// The whole vectors of a row; returns how many numbers that were.
std::int64_t AddWeightedHalf(const float* x, const float* weight, std::int64_t count, bool fresh, std::uint16_t* sum) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> dh;
  const auto most = hn::Set(d, 65504.0f), least = hn::Set(d, -65504.0f);
  auto* to = reinterpret_cast<hwy::float16_t*>(sum);
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto v = hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, weight + i));
    if (!fresh) v = hn::Add(v, hn::PromoteTo(d, hn::LoadU(dh, to + i)));
    const auto number = hn::Eq(v, v);
    v = hn::IfThenElse(number, hn::Min(hn::Max(v, least), most), v);
    hn::StoreU(hn::DemoteTo(dh, v), dh, to + i);
  }
  return i;
}

std::int64_t HalfToFloat(const std::uint16_t* x, std::int64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> dh;
  const auto* from = reinterpret_cast<const hwy::float16_t*>(x);
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(hn::PromoteTo(d, hn::LoadU(dh, from + i)), d, out + i);
  return i;
}

#else

std::int64_t AddWeightedHalf(const float*, const float*, std::int64_t, bool, std::uint16_t*) { return 0; }
std::int64_t HalfToFloat(const std::uint16_t*, std::int64_t, float*) { return 0; }

#endif

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(AddWeightedHalf);
HWY_EXPORT(HalfToFloat);

}  // namespace

void add_weighted_half(const float* x, const float* weight, std::int64_t count, bool fresh, Half* sum) {
  std::int64_t i = use_scalar() ? 0 : HWY_DYNAMIC_DISPATCH(AddWeightedHalf)(x, weight, count, fresh, &sum->bits);
  for (; i < count; ++i) {
    float v = x[i] * weight[i];
    if (!fresh) v += static_cast<float>(sum[i]);
    if (v == v) v = std::clamp(v, -65504.0f, 65504.0f);
    sum[i] = Half(v);
  }
}

void half_to_float(const Half* x, std::int64_t count, float* out) {
  std::int64_t i = use_scalar() ? 0 : HWY_DYNAMIC_DISPATCH(HalfToFloat)(&x->bits, count, out);
  for (; i < count; ++i) out[i] = static_cast<float>(x[i]);
}

}  // namespace vesal::kernels
#endif
