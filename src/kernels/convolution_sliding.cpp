#include "kernels/convolution_sliding.h"

#include <algorithm>
#include <utility>

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convolution_sliding.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/in_register-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kTaps = static_cast<int>(kSlidingRows);
constexpr int kRegisters = kLanes == 16 ? 32 : 16;

/// A vector of inputs into the sum of the row of one output channel that reads it through one tap, if there is one here.
template <int kOut, int kRows, int kVectors, int kInput, int kChannel, int kTap>
HWY_INLINE void AddToRow(V* sums, const V* weights, V x) {
  constexpr int kRow = kInput / kVectors - kTap, kSum = (kChannel * kRows + kRow) * kVectors + kInput % kVectors;
  if constexpr (kRow >= 0 && kRow < kRows) sums[kSum] = hn::MulAdd(weights[kTap * kOut + kChannel], x, sums[kSum]);
}
/// kPair: of an output channel and a tap along y.
template <int kOut, int kRows, int kVectors, int kInput, std::size_t... kPair>
HWY_INLINE void AddInput(V* sums, const V* weights, const float* in, std::int64_t row_step, std::index_sequence<kPair...>) {
  const V x = InRegister(hn::LoadU(D(), in + kInput / kVectors * row_step + kInput % kVectors * kLanes));
  (AddToRow<kOut, kRows, kVectors, kInput, static_cast<int>(kPair) / kTaps, static_cast<int>(kPair) % kTaps>(sums, weights, x), ...);
}
template <int kOut, int kRows, int kVectors, std::size_t... kInput>
HWY_INLINE void AddInputs(V* sums, const V* weights, const float* in, std::int64_t row_step, std::index_sequence<kInput...>) {
  (AddInput<kOut, kRows, kVectors, static_cast<int>(kInput)>(sums, weights, in, row_step, std::make_index_sequence<kOut * kTaps>()), ...);
}

template <int kOut, int kRows, int kVectors, std::size_t... kAt, std::size_t... kWeight>
HWY_INLINE void SlidingSums(const PlanarCall& c, std::index_sequence<kAt...>, std::index_sequence<kWeight...>) {
  const D d;
  V sums[sizeof...(kAt)] = {hn::Set(d, c.bias[kAt / (kRows * kVectors)])...};
  const float* w = c.weights;
  const float* local = c.local;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step) {
    for (std::int64_t t = 0; t < c.tap_count; ++t, w += sizeof...(kWeight)) {
      const V weights[] = {hn::Set(d, w[kWeight])...};
      AddInputs<kOut, kRows, kVectors>(sums, weights, local + c.taps[t], c.row_step, std::make_index_sequence<(kRows + kTaps - 1) * kVectors>());
    }
  }
  (hn::StoreU(sums[kAt], d, c.out + kAt * kLanes), ...);
}
template <int kOut, int kRows, int kVectors>
void SlidingTileOf(const PlanarCall& c) {
  SlidingSums<kOut, kRows, kVectors>(c, std::make_index_sequence<kOut * kRows * kVectors>(), std::make_index_sequence<kOut * kTaps>());
}

template <int kOut>
PlanarTile ChooseSliding(std::int64_t rows, std::int64_t width) {
  // Sums stay in registers beside the weights and a few inputs; where registers are few, weights may have to come from memory.
  constexpr int kSums = std::max(2 * kOut, kRegisters - 4 - kTaps * kOut), kMost = std::min(3, kSums / kOut / (kLanes == 16 && kOut < 4 ? 4 : 1));
  return choose_planar_tile<PlanarTile, kLanes, kMost, kSums / kOut>(
      rows, width, []<int kRows, int kVectors>() -> PlanarMicro { return &SlidingTileOf<kOut, kRows, kVectors>; });
}

PlanarTile SlidingTileFor(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  return for_few_channels(out_channels, [&]<int kOut>() { return ChooseSliding<kOut>(rows, width); });
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(SlidingTileFor);

template <int kOut>
void plain_sliding(const PlanarCall& c) {
  std::copy_n(c.bias, kOut, c.out);
  const float* w = c.weights;
  for (std::int64_t part = 0; part < c.parts; ++part)
    for (std::int64_t t = 0; t < c.tap_count; ++t)
      for (std::int64_t y = 0; y < static_cast<std::int64_t>(kSlidingRows); ++y, w += kOut)
        for (int channel = 0; channel < kOut; ++channel) c.out[channel] += w[channel] * c.local[part * c.part_step + c.taps[t] + y * c.row_step];
}

}  // namespace

PlanarTile sliding_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  if (!use_scalar()) return HWY_DYNAMIC_DISPATCH(SlidingTileFor)(out_channels, rows, width);
  return for_few_channels(out_channels, []<int kOut>() { return PlanarTile{1, 1, &plain_sliding<kOut>}; });
}

}  // namespace vesal::kernels
#endif
