#include "kernels/convolution_bf16.h"

#include <hwy/highway.h>

#include <bit>
#include <utility>

#include "base/error.h"
#include "kernels/convolution_amx.h"
#include "kernels/simd.h"

#if HWY_ARCH_X86_64
#include <immintrin.h>

#define VESAL_BF16_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma"

HWY_PUSH_ATTRIBUTES(VESAL_BF16_TARGET)
namespace vesal::kernels {
namespace {

constexpr int kPositions = 28;  ///< sums in 32 registers, beside a row of weights and what is loaded

template <int kRow, int kWidth, std::size_t... kAt>
[[gnu::always_inline]] inline void add_row(__m512* sums, __m512bh weights, const float* in, std::index_sequence<kAt...>) {
  ((sums[kRow * kWidth + kAt] = _mm512_dpbf16_ps(sums[kRow * kWidth + kAt], weights, reinterpret_cast<__m512bh>(_mm512_set1_ps(in[kAt * kPairs])))),
   ...);
}
template <int kWidth, std::size_t... kRow>
[[gnu::always_inline]] inline void add_rows(__m512* sums, __m512bh weights, const float* in, std::int64_t row_step, std::index_sequence<kRow...>) {
  (add_row<kRow, kWidth>(sums, weights, in + static_cast<std::int64_t>(kRow) * row_step, std::make_index_sequence<kWidth>()), ...);
}
template <int kRows, int kWidth, std::size_t... kAt>
[[gnu::always_inline]] inline void sum_up(const MicroCall& c, std::index_sequence<kAt...>) {
  const __m512 bias = _mm512_loadu_ps(c.bias);
  __m512 sums[kRows * kWidth] = {(static_cast<void>(kAt), bias)...};
  const float* w = c.weights;
  const float* local = c.local;
  const std::int64_t row_step = c.row_step;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step) {
    for (std::int64_t t = 0; t < c.tap_count; ++t) {
      const float* in = local + c.taps[t];
      for (std::int64_t pair = 0; pair < kPairs; ++pair, ++in, w += kBlock)
        add_rows<kWidth>(sums, reinterpret_cast<__m512bh>(_mm512_loadu_ps(w)), in, row_step, std::make_index_sequence<kRows>());
    }
  }
  (_mm512_storeu_ps(c.out + kAt * kBlock, sums[kAt]), ...);
}
template <int kRows, int kWidth>
void tile_of(const MicroCall& c) {
  sum_up<kRows, kWidth>(c, std::make_index_sequence<kRows * kWidth>());
}

void pack(const PackRow& r, float* out) {
  float numbers[kBlock];
  for (std::int64_t phase = 0; phase < r.step; ++phase) {
    float* to = out + phase * r.phase_size;
    const Inside inside = inside_of(r, phase);
    std::fill(to, to + inside.begin * kPairs, 0.0f);
    std::fill(to + inside.end * kPairs, to + r.length * kPairs, 0.0f);
    const float* from = r.in + (r.first + phase) * kBlock;
    for (std::int64_t j = inside.begin; j < inside.end; ++j) {
      __m512 x = _mm512_loadu_ps(from + j * r.step * kBlock);
      if (r.scale) x = _mm512_fmadd_ps(x, _mm512_loadu_ps(r.scale), _mm512_loadu_ps(r.shift));
      if (r.function == Function::relu) {
        x = _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), _mm512_setzero_ps());
      } else if (r.function == Function::leaky_relu || r.function == Function::prelu) {
        x = _mm512_mask_mul_ps(x, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), x, _mm512_loadu_ps(r.slope));
      } else if (r.function != Function::identity) {
        _mm512_storeu_ps(numbers, x);
        for (std::int64_t lane = 0; lane < kBlock; ++lane) numbers[lane] = pointwise(r.function, numbers[lane], r.slope[lane]);
        x = _mm512_loadu_ps(numbers);
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + j * kPairs), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
    }
  }
}

}  // namespace
}  // namespace vesal::kernels
HWY_POP_ATTRIBUTES

namespace vesal::kernels {

bool has_bf16() {
  if (use_scalar() || !(hwy::SupportedTargets() & HWY_AVX3)) return false;
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

MicroTile bf16_tile(std::int64_t rows, std::int64_t width) {
  const TileUnit unit = tile_unit();
  if (unit != TileUnit::none) return amx_tile(rows, width, unit);
  return choose_tile<kPositions>(rows, width, []<int kRows, int kWidth>() -> Micro { return &tile_of<kRows, kWidth>; });
}

void pack_block_row_bf16(const PackRow& r, float* out) {
  if (r.in && r.first < r.count && r.first + r.length * r.step > 0) return pack(r, out);
  for (std::int64_t phase = 0; phase < r.step; ++phase) std::fill_n(out + phase * r.phase_size, r.length * kPairs, 0.0f);
}

}  // namespace vesal::kernels

#else

namespace vesal::kernels {

bool has_bf16() { return false; }
MicroTile bf16_tile(std::int64_t, std::int64_t) { throw Error(ErrorKind::unsupported, "this processor has no bfloat16 instructions"); }
void pack_block_row_bf16(const PackRow&, float*) { throw Error(ErrorKind::unsupported, "this processor has no bfloat16 instructions"); }

}  // namespace vesal::kernels

#endif

namespace vesal::kernels {

float bf16_pair(float low, float high) {
  const auto rounded = [](float x) -> std::uint32_t {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40;  // NaN stays NaN
    return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  };
  return std::bit_cast<float>(rounded(low) | rounded(high) << 16);
}

}  // namespace vesal::kernels
