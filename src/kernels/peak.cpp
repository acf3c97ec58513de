#include "kernels/peak.h"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kSums = 12;  ///< more than latency times throughput on every machine

template <std::size_t... kAt>
HWY_INLINE double Run(std::int64_t rounds, std::index_sequence<kAt...>) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, 0.999f), addend = hn::Set(d, 0.001f);
  V sums[kSums] = {hn::Set(d, static_cast<float>(kAt))...};
  for (std::int64_t i = 0; i < rounds; ++i) ((sums[kAt] = hn::MulAdd(sums[kAt], factor, addend)), ...);
  V all = hn::Zero(d);
  ((all = hn::Add(all, sums[kAt])), ...);
  volatile float used = hn::GetLane(all);
  static_cast<void>(used);
  return 2.0 * kSums * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}
double MultiplyAdds(std::int64_t rounds) { return Run(rounds, std::make_index_sequence<kSums>()); }

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {

HWY_EXPORT(MultiplyAdds);
double multiply_adds(std::int64_t rounds) { return HWY_DYNAMIC_DISPATCH(MultiplyAdds)(rounds); }

}  // namespace vesal::kernels
#endif
