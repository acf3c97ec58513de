#include "kernels/convolution_interleaved.h"

#include <algorithm>
#include <utility>

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convolution_interleaved.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/in_register-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kRegisters = kLanes == 16 ? 32 : 16;

/// A vector of inputs into the sums of all its outputs; kFactor: [phase][out channel] of the weights, kPhase: of the first of them.
/// Sums are [phase][out channel][input].
template <int kOut, int kInputs, int kInput, int kPhase, std::size_t... kFactor>
HWY_INLINE void AddInput(V* sums, const V* weights, const float* in, std::index_sequence<kFactor...>) {
  const V x = InRegister(hn::LoadU(D(), in));
  ((sums[(kPhase * kOut + kFactor) * kInputs + kInput] = hn::MulAdd(weights[kFactor], x, sums[(kPhase * kOut + kFactor) * kInputs + kInput])), ...);
}
template <int kOut, int kVectors, int kPhase, std::size_t... kFactor, std::size_t... kInput>
HWY_INLINE void AddTap(V* sums, const float* w, const float* in, std::int64_t row_step, std::index_sequence<kFactor...> factors,
                       std::index_sequence<kInput...>) {
  const V weights[] = {hn::Set(D(), w[kFactor])...};
  (AddInput<kOut, sizeof...(kInput), static_cast<int>(kInput), kPhase>(
       sums, weights, in + static_cast<std::int64_t>(kInput / kVectors) * row_step + kInput % kVectors * kLanes, factors),
   ...);
}

template <int kOut, int kRows, int kVectors, std::size_t... kAt, std::size_t... kHalf>
HWY_INLINE void InterleavedSums(const InterleavedCall& c, std::index_sequence<kAt...>, std::index_sequence<kHalf...>) {
  const D d;
  constexpr std::size_t kInputs = kRows * kVectors;
  constexpr auto inputs = std::make_index_sequence<kInputs>();
  constexpr auto one = std::make_index_sequence<kOut>();
  constexpr auto both = std::make_index_sequence<2 * kOut>();
  V sums[] = {hn::Set(d, c.bias[kAt / kInputs % kOut])...};
  const float* w = c.weights;
  const float* local = c.local;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step) {
    for (std::int64_t t = 0; t < c.taps[0].count; ++t, w += 2 * kOut)
      AddTap<kOut, kVectors, 0>(sums, w, local + c.taps[0].offsets[t], c.row_step, both, inputs);
    for (std::int64_t t = 0; t < c.taps[1].count; ++t, w += kOut)
      AddTap<kOut, kVectors, 0>(sums, w, local + c.taps[1].offsets[t], c.row_step, one, inputs);
    for (std::int64_t t = 0; t < c.taps[2].count; ++t, w += kOut)
      AddTap<kOut, kVectors, 1>(sums, w, local + c.taps[2].offsets[t], c.row_step, one, inputs);
  }
  (hn::StoreInterleaved2(sums[kHalf], sums[kOut * kInputs + kHalf], d, c.out + kHalf * 2 * kLanes), ...);
}
template <int kOut, int kRows, int kVectors>
void InterleavedTileOf(const InterleavedCall& c) {
  InterleavedSums<kOut, kRows, kVectors>(c, std::make_index_sequence<2 * kOut * kRows * kVectors>(),
                                         std::make_index_sequence<kOut * kRows * kVectors>());
}

template <int kOut>
InterleavedTile ChooseInterleaved(std::int64_t rows, std::int64_t width) {
  // Sums stay in registers beside the weights and two inputs; where registers are few, weights may have to come from memory.
  constexpr int kInputs = std::max(1, (kRegisters - 2 - 2 * kOut) / (2 * kOut)), kMost = std::min(3, kInputs);
  return choose_planar_tile<InterleavedTile, kLanes, kMost, kInputs>(
      rows, width, []<int kRows, int kVectors>() -> InterleavedMicro { return &InterleavedTileOf<kOut, kRows, kVectors>; });
}

InterleavedTile InterleavedTileFor(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  return for_few_channels(out_channels, [&]<int kOut>() { return ChooseInterleaved<kOut>(rows, width); });
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(InterleavedTileFor);

template <int kOut>
void plain_interleaved(const InterleavedCall& c) {
  for (int channel = 0; channel < kOut; ++channel) c.out[2 * channel] = c.out[2 * channel + 1] = c.bias[channel];
  const float* w = c.weights;
  for (std::int64_t part = 0; part < c.parts; ++part)
    for (std::size_t kind = 0; kind < kInterleavedKinds; ++kind)
      for (std::int64_t t = 0; t < c.taps[kind].count; ++t)
        for (std::size_t phase = kind == 2 ? 1 : 0; phase <= (kind == 1 ? 0 : 1); ++phase, w += kOut)
          for (std::size_t channel = 0; channel < kOut; ++channel)
            c.out[2 * channel + phase] += w[channel] * c.local[part * c.part_step + c.taps[kind].offsets[t]];
}

}  // namespace

InterleavedTile interleaved_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  if (!use_scalar()) return HWY_DYNAMIC_DISPATCH(InterleavedTileFor)(out_channels, rows, width);
  return for_few_channels(out_channels, []<int kOut>() { return InterleavedTile{1, 1, &plain_interleaved<kOut>}; });
}

}  // namespace vesal::kernels
#endif
