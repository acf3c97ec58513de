#include "kernels/convolution_micro.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convolution_micro.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/in_register-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kVectors = 16 / kLanes;  ///< of a block
/// Positions whose sums fit into registers beside the weights and a broadcast input: of 32 registers or of 16.
constexpr int kPositions = kLanes == 16 ? 28 : kLanes == 8 ? 6 : kLanes == 4 ? 2 : 1;

template <int kChannels, int kRow, int kWidth, std::size_t... kAt>
HWY_INLINE void AddRow(V* sums, const V* weights, const float* in, std::index_sequence<kAt...>) {
  const D d;
  (
      [&]() HWY_ATTR {
        constexpr int j = static_cast<int>(kAt) / kVectors, v = static_cast<int>(kAt) % kVectors;
        V& sum = sums[(kRow * kWidth + j) * kVectors + v];
        sum = hn::MulAdd(weights[v], hn::Set(d, in[j * kChannels]), sum);
      }(),
      ...);
}

template <int kChannels, int kWidth, std::size_t... kRow>
HWY_INLINE void AddRows(V* sums, const V* weights, const float* in, std::int64_t row_step, std::index_sequence<kRow...>) {
  (AddRow<kChannels, static_cast<int>(kRow), kWidth>(sums, weights, in + static_cast<std::int64_t>(kRow) * row_step,
                                                     std::make_index_sequence<kWidth * kVectors>()),
   ...);
}

template <std::size_t... kAt>
HWY_INLINE void LoadAll(V* to, const float* from, std::index_sequence<kAt...>) {
  const D d;
  ((to[kAt] = hn::LoadU(d, from + (kAt % kVectors) * kLanes)), ...);
}
template <std::size_t... kAt>
HWY_INLINE void StoreAll(const V* from, float* to, std::index_sequence<kAt...>) {
  const D d;
  (hn::StoreU(from[kAt], d, to + kAt * kLanes), ...);
}

template <int kChannels, int kRows, int kWidth>
void Tile(const MicroCall& c) {
  constexpr std::size_t kSums = kRows * kWidth * kVectors;
  V sums[kSums];
  LoadAll(sums, c.bias, std::make_index_sequence<kSums>());
  const float* w = c.weights;
  const float* local = c.local;
  const std::int64_t row_step = c.row_step;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step) {
    for (std::int64_t t = 0; t < c.tap_count; ++t) {
      const float* in = local + c.taps[t];
      for (int channel = 0; channel < kChannels; ++channel, ++in, w += 16) {
        V weights[kVectors];
        LoadAll(weights, w, std::make_index_sequence<kVectors>());
        AddRows<kChannels, kWidth>(sums, weights, in, row_step, std::make_index_sequence<kRows>());
      }
    }
  }
  StoreAll(sums, c.out, std::make_index_sequence<kSums>());
}

template <int kChannels>
MicroTile Choose(std::int64_t rows, std::int64_t width) {
  return choose_tile<kPositions>(rows, width, []<int kRows, int kWidth>() -> Micro { return &Tile<kChannels, kRows, kWidth>; });
}

MicroTile MicroTileFor(std::int64_t input_channels, std::int64_t rows, std::int64_t width) {
  switch (input_channels) {
    case 1: return Choose<1>(rows, width);
    case 2: return Choose<2>(rows, width);
    case 3: return Choose<3>(rows, width);
    case 4: return Choose<4>(rows, width);
    default: return Choose<16>(rows, width);
  }
}

template <int kWidth, std::size_t... kAt>
HWY_INLINE void DepthwiseSums(const MicroCall& c, std::index_sequence<kAt...> all) {
  const D d;
  V sums[sizeof...(kAt)];
  LoadAll(sums, c.bias, all);
  const float* w = c.weights;
  for (std::int64_t t = 0; t < c.tap_count; ++t, w += 16) {
    V weights[kVectors];
    LoadAll(weights, w, std::make_index_sequence<kVectors>());
    const float* in = c.local + c.taps[t];
    ((sums[kAt] = hn::MulAdd(weights[kAt % kVectors], hn::LoadU(d, in + kAt * kLanes), sums[kAt])), ...);
  }
  StoreAll(sums, c.out, all);
}
template <int kWidth>
void DepthwiseTileOf(const MicroCall& c) {
  DepthwiseSums<kWidth>(c, std::make_index_sequence<kWidth * kVectors>());
}
/// Eight sums are enough to hide the latency of a multiply-add.
MicroTile DepthwiseTileFor(std::int64_t width) {
  constexpr int kWide = kPositions < 12 ? kPositions : 12, kNarrow = kPositions < 4 ? kPositions : 4;
  if (width > kNarrow) return {1, kWide, &DepthwiseTileOf<kWide>};
  return {1, kNarrow, &DepthwiseTileOf<kNarrow>};
}

/// One tap: every input vector is loaded once and goes into the sums of all output channels.
template <int kOut, int kVectorsOfRow, std::size_t... kInput>
HWY_INLINE void AddPlanar(V* sums, const float* weights, const float* in, std::int64_t row_step, std::index_sequence<kInput...>) {
  const D d;
  constexpr std::size_t kInputs = sizeof...(kInput);
  (
      [&]() HWY_ATTR {
        const V x = InRegister(hn::LoadU(d, in + static_cast<std::int64_t>(kInput / kVectorsOfRow) * row_step + (kInput % kVectorsOfRow) * kLanes));
        sums[kInput] = hn::MulAdd(hn::Set(d, weights[0]), x, sums[kInput]);
        if constexpr (kOut > 1) sums[kInputs + kInput] = hn::MulAdd(hn::Set(d, weights[1]), x, sums[kInputs + kInput]);
        if constexpr (kOut > 2) sums[2 * kInputs + kInput] = hn::MulAdd(hn::Set(d, weights[2]), x, sums[2 * kInputs + kInput]);
        if constexpr (kOut > 3) sums[3 * kInputs + kInput] = hn::MulAdd(hn::Set(d, weights[3]), x, sums[3 * kInputs + kInput]);
      }(),
      ...);
}

template <int kOut, int kRows, int kVectorsOfRow, std::size_t... kAt>
HWY_INLINE void PlanarSums(const PlanarCall& c, std::index_sequence<kAt...>) {
  const D d;
  constexpr int kInputs = kRows * kVectorsOfRow;
  V sums[kOut * kInputs] = {hn::Set(d, c.bias[kAt / kInputs])...};
  const float* w = c.weights;
  const float* local = c.local;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step)
    for (std::int64_t t = 0; t < c.tap_count; ++t, w += kOut)
      AddPlanar<kOut, kVectorsOfRow>(sums, w, local + c.taps[t], c.row_step, std::make_index_sequence<kInputs>());
  (hn::StoreU(sums[kAt], d, c.out + kAt * kLanes), ...);
}

template <int kOut, int kRows, int kVectorsOfRow>
void PlanarTileOf(const PlanarCall& c) {
  PlanarSums<kOut, kRows, kVectorsOfRow>(c, std::make_index_sequence<kOut * kRows * kVectorsOfRow>());
}

/// Sums that fit into registers beside the inputs and a weight.
constexpr int kPlanarSums = kLanes == 16 ? 24 : 12;

template <int kOut>
PlanarTile ChoosePlanar(std::int64_t rows, std::int64_t width) {
  constexpr int kMost = kPlanarSums / kOut < 6 ? kPlanarSums / kOut : 6;
  return choose_planar_tile<PlanarTile, kLanes, kMost, kPlanarSums / kOut>(
      rows, width, []<int kRows, int kVectors>() -> PlanarMicro { return &PlanarTileOf<kOut, kRows, kVectors>; });
}

PlanarTile PlanarTileFor(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  return for_few_channels(out_channels, [&]<int kOut>() { return ChoosePlanar<kOut>(rows, width); });
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(MicroTileFor);
HWY_EXPORT(DepthwiseTileFor);
HWY_EXPORT(PlanarTileFor);

template <int kChannels>
void plain_tile(const MicroCall& c) {
  float sums[kBlock];
  std::copy_n(c.bias, kBlock, sums);
  const float* w = c.weights;
  for (std::int64_t part = 0; part < c.parts; ++part)
    for (std::int64_t t = 0; t < c.tap_count; ++t)
      for (int channel = 0; channel < kChannels; ++channel, w += kBlock)
        for (int lane = 0; lane < kBlock; ++lane) sums[lane] += w[lane] * c.local[part * c.part_step + c.taps[t] + channel];
  std::copy_n(sums, kBlock, c.out);
}

void plain_depthwise(const MicroCall& c) {
  std::copy_n(c.bias, kBlock, c.out);
  for (std::int64_t t = 0; t < c.tap_count; ++t)
    for (std::int64_t lane = 0; lane < kBlock; ++lane) c.out[lane] += c.weights[t * kBlock + lane] * c.local[c.taps[t] + lane];
}

template <int kOut>
void plain_planar(const PlanarCall& c) {
  float sums[kOut];
  std::copy_n(c.bias, kOut, sums);
  const float* w = c.weights;
  for (std::int64_t part = 0; part < c.parts; ++part)
    for (std::int64_t t = 0; t < c.tap_count; ++t, w += kOut)
      for (int channel = 0; channel < kOut; ++channel) sums[channel] += w[channel] * c.local[part * c.part_step + c.taps[t]];
  std::copy_n(sums, kOut, c.out);
}

}  // namespace

MicroTile micro_tile(std::int64_t input_channels, std::int64_t rows, std::int64_t width) {
  if (!use_scalar()) return HWY_DYNAMIC_DISPATCH(MicroTileFor)(input_channels, rows, width);
  switch (input_channels) {
    case 1: return {1, 1, &plain_tile<1>};
    case 2: return {1, 1, &plain_tile<2>};
    case 3: return {1, 1, &plain_tile<3>};
    case 4: return {1, 1, &plain_tile<4>};
    default: return {1, 1, &plain_tile<16>};
  }
}

MicroTile depthwise_tile(std::int64_t width) {
  return use_scalar() ? MicroTile{1, 1, &plain_depthwise} : HWY_DYNAMIC_DISPATCH(DepthwiseTileFor)(width);
}

PlanarTile planar_tile(std::int64_t out_channels, std::int64_t rows, std::int64_t width) {
  if (!use_scalar()) return HWY_DYNAMIC_DISPATCH(PlanarTileFor)(out_channels, rows, width);
  return for_few_channels(out_channels, []<int kOut>() { return PlanarTile{1, 1, &plain_planar<kOut>}; });
}

}  // namespace vesal::kernels
#endif
