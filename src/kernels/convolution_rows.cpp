#include "kernels/convolution_rows.h"

#include "kernels/convolution_micro.h"
#include "kernels/pointwise.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/convolution_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/pointwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void PackBlock(const PackRow& r, float* out) {
  using D = hn::CappedTag<float, 16>;
  const D d;
  constexpr std::int64_t kLanes = hn::MaxLanes(D());
  WithFunction(r.function, [&](auto f) HWY_ATTR {
    for (std::int64_t phase = 0; phase < r.step; ++phase) {
      float* to = out + phase * r.phase_size;
      const Inside inside = inside_of(r, phase);
      std::fill(to, to + inside.begin * 16, 0.0f);
      std::fill(to + inside.end * 16, to + r.length * 16, 0.0f);
      for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
        const auto slopes = hn::LoadU(d, r.slope + lane);
        const auto scale = r.scale ? hn::LoadU(d, r.scale + lane) : hn::Set(d, 1.0f);
        const auto shift = r.scale ? hn::LoadU(d, r.shift + lane) : hn::Zero(d);
        const float* from = r.in + (r.first + phase) * 16 + lane;
        if (r.scale) {
          for (std::int64_t j = inside.begin; j < inside.end; ++j)
            hn::StoreU(Apply<f()>(d, hn::MulAdd(hn::LoadU(d, from + j * r.step * 16), scale, shift), slopes), d, to + j * 16 + lane);
        } else {
          for (std::int64_t j = inside.begin; j < inside.end; ++j)
            hn::StoreU(Apply<f()>(d, hn::LoadU(d, from + j * r.step * 16), slopes), d, to + j * 16 + lane);
        }
      }
    }
  });
}

/// Positions [begin, end) of every phase of a planar row, which all lie inside it; whole vectors, the last of which may overlap the one before it.
/// kStep: phases, 1 or 2. There are at least as many positions as a vector has lanes.
template <int kStep>
void PackPlanarInside(const PackRow& r, float* out, std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float* from = r.in + r.first;
  const auto slope = hn::Set(d, *r.slope), scale = hn::Set(d, r.scale ? *r.scale : 1.0f), shift = hn::Set(d, r.scale ? *r.shift : 0.0f);
  WithFunction(r.function, [&](auto f) HWY_ATTR {
    const auto map = [&](auto x) HWY_ATTR { return Apply<f()>(d, r.scale ? hn::MulAdd(x, scale, shift) : x, slope); };
    for (std::int64_t next = begin; next < end; next += lanes) {
      const std::int64_t j = std::min(next, end - lanes);
      if constexpr (kStep == 1) {
        hn::StoreU(map(hn::LoadU(d, from + j)), d, out + j);
      } else {
        auto even = hn::Zero(d), odd = hn::Zero(d);
        hn::LoadInterleaved2(d, from + 2 * j, even, odd);
        hn::StoreU(map(even), d, out + j);
        hn::StoreU(map(odd), d, out + r.phase_size + j);
      }
    }
  });
}

/// A planar row of kStep phases; false: too short for vectors.
template <int kStep>
bool PackPlanarOf(PackRow r, float* out) {
  r.step = kStep;  // known here, so that nothing is divided by it
  Inside all = inside_of(r, 0);
  if constexpr (kStep == 2) {
    const Inside odd = inside_of(r, 1);
    all = {std::max(all.begin, odd.begin), std::min(all.end, odd.end)};
  }
  if (all.end - all.begin < static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()))) return false;
  PackPlanarInside<kStep>(r, out, all.begin, all.end);
  for (std::int64_t phase = 0; phase < kStep; ++phase) {
    float* to = out + phase * r.phase_size;
    for (std::int64_t j = 0; j < all.begin; ++j) to[j] = packed_input(r, phase, j, 1, 0);
    for (std::int64_t j = all.end; j < r.length; ++j) to[j] = packed_input(r, phase, j, 1, 0);
  }
  return true;
}
bool PackPlanar(const PackRow& r, float* out) { return r.step == 1 ? PackPlanarOf<1>(r, out) : PackPlanarOf<2>(r, out); }

#if HWY_TARGET != HWY_SCALAR
/// 4 positions of 4 channels, turned; in each block of 128 bits.
template <class D, class V>
HWY_INLINE void Turn(D d, V& a, V& b, V& c, V& e) {
  const auto ab_low = hn::InterleaveLower(d, a, b), ab_high = hn::InterleaveUpper(d, a, b);
  const auto ce_low = hn::InterleaveLower(d, c, e), ce_high = hn::InterleaveUpper(d, c, e);
  const hn::Repartition<double, D> wide;
  const auto as_wide = [&](V x) HWY_ATTR { return hn::BitCast(wide, x); };
  a = hn::BitCast(d, hn::InterleaveLower(wide, as_wide(ab_low), as_wide(ce_low)));
  b = hn::BitCast(d, hn::InterleaveUpper(wide, as_wide(ab_low), as_wide(ce_low)));
  c = hn::BitCast(d, hn::InterleaveLower(wide, as_wide(ab_high), as_wide(ce_high)));
  e = hn::BitCast(d, hn::InterleaveUpper(wide, as_wide(ab_high), as_wide(ce_high)));
}

/// As many positions as a vector has lanes, of as many channels, turned. Blocks of 128 bits are turned in themselves, then among each other.
template <class D, class V>
HWY_INLINE void TurnAll(D d, V* v) {
  constexpr std::size_t kBlocks = hn::MaxLanes(D()) / 4;
#pragma GCC unroll 4
  for (std::size_t g = 0; g < kBlocks; ++g) Turn(d, v[4 * g], v[4 * g + 1], v[4 * g + 2], v[4 * g + 3]);
  if constexpr (kBlocks == 2) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      const V low = v[k], high = v[4 + k];
      v[k] = hn::ConcatLowerLower(d, high, low);
      v[4 + k] = hn::ConcatUpperUpper(d, high, low);
    }
  } else if constexpr (kBlocks == 4) {
    const auto swapped = [&](V x) HWY_ATTR { return hn::SwapAdjacentBlocks(x); };
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      const V even_low = hn::ConcatLowerLower(d, v[8 + k], v[k]), odd_low = hn::ConcatLowerLower(d, v[12 + k], v[4 + k]);
      const V even_high = hn::ConcatUpperUpper(d, v[8 + k], v[k]), odd_high = hn::ConcatUpperUpper(d, v[12 + k], v[4 + k]);
      v[k] = hn::OddEvenBlocks(swapped(odd_low), even_low);
      v[4 + k] = hn::OddEvenBlocks(odd_low, swapped(even_low));
      v[8 + k] = hn::OddEvenBlocks(swapped(odd_high), even_high);
      v[12 + k] = hn::OddEvenBlocks(odd_high, swapped(even_high));
    }
  }
}

/// Positions from `begin` on of one phase, all channels of the block, while there are whole vectors; where it ended.
template <Function F>
std::int64_t PackTurned(const PackRow& r, const float* from, float* to, std::int64_t channel_step, std::int64_t channels, Inside inside) {
  using D = hn::CappedTag<float, 16>;
  const D d;
  constexpr std::int64_t kLanes = hn::MaxLanes(D());
  std::int64_t j = inside.begin;
  for (; j + kLanes <= inside.end; j += kLanes) {
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const auto slopes = hn::LoadU(d, r.slope + c), scale = r.scale ? hn::LoadU(d, r.scale + c) : hn::Set(d, 1.0f),
                 shift = r.scale ? hn::LoadU(d, r.shift + c) : hn::Zero(d);
      hn::Vec<D> v[kLanes];
#pragma GCC unroll 16
      for (std::int64_t k = 0; k < kLanes; ++k) {
        const auto x = hn::LoadU(d, from + (j + k) * r.step * 16 + c);
        v[k] = Apply<F>(d, r.scale ? hn::MulAdd(x, scale, shift) : x, slopes);
      }
      TurnAll(d, v);
      const std::int64_t n = std::min(kLanes, channels - c);
#pragma GCC unroll 16
      for (std::int64_t k = 0; k < kLanes; ++k)
        if (k < n) hn::StoreU(v[k], d, to + (c + k) * channel_step + j);
    }
  }
  return j;
}

void PackBlockPlanar(const PackRow& r, float* out, std::int64_t channel_step, std::int64_t channels) {
  const hn::FixedTag<float, 4> d;
  WithFunction(r.function, [&](auto f) HWY_ATTR {
    for (std::int64_t phase = 0; phase < r.step; ++phase) {
      const Inside inside = inside_of(r, phase);
      const float* from = r.in + (r.first + phase) * 16;
      const std::int64_t step = r.step * 16, turned = PackTurned<f()>(r, from, out + phase * r.phase_size, channel_step, channels, inside);
      for (std::int64_t c = 0; c < channels; c += 4) {
        const auto slopes = hn::LoadU(d, r.slope + c);
        const auto load = [&](std::int64_t j) HWY_ATTR {
          auto x = hn::LoadU(d, from + j * step + c);
          if (r.scale) x = hn::MulAdd(x, hn::LoadU(d, r.scale + c), hn::LoadU(d, r.shift + c));
          return Apply<f()>(d, x, slopes);
        };
        const std::int64_t n = std::min<std::int64_t>(4, channels - c);
        float* to[4];
        for (std::int64_t k = 0; k < n; ++k) {
          to[k] = out + phase * r.phase_size + (c + k) * channel_step;
          std::fill(to[k], to[k] + inside.begin, 0.0f);
          std::fill(to[k] + inside.end, to[k] + r.length, 0.0f);
        }
        std::int64_t j = turned;
        for (; n == 4 && j + 4 <= inside.end; j += 4) {
          auto v0 = load(j), v1 = load(j + 1), v2 = load(j + 2), v3 = load(j + 3);
          Turn(d, v0, v1, v2, v3);
          hn::StoreU(v0, d, to[0] + j);
          hn::StoreU(v1, d, to[1] + j);
          hn::StoreU(v2, d, to[2] + j);
          hn::StoreU(v3, d, to[3] + j);
        }
        for (; j < inside.end; ++j) {
          float four[4];
          hn::StoreU(load(j), d, four);
          for (std::int64_t k = 0; k < n; ++k) to[k][j] = four[k];
        }
      }
    }
  });
}

#else
void PackBlockPlanar(const PackRow& r, float* out, std::int64_t channel_step, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t phase = 0; phase < r.step; ++phase)
      for (std::int64_t j = 0; j < r.length; ++j) out[c * channel_step + phase * r.phase_size + j] = packed_input(r, phase, j, kBlock, c);
}
#endif

void FinishBlock(const FinishRow& r) {
  using D = hn::CappedTag<float, 16>;
  const D d;
  constexpr std::int64_t kLanes = hn::MaxLanes(D());
  const float zeros[16] = {};
  WithFunction(r.function, [&](auto f) HWY_ATTR {
    for (std::int64_t lane = 0; lane < 16; lane += kLanes) {
      const auto slopes = hn::LoadU(d, r.slope + lane);
      const auto keep = hn::LoadU(d, (r.keep ? r.keep : zeros) + lane);
      auto sum = hn::Zero(d), square = hn::Zero(d);
      for (std::int64_t i = 0; i < r.count; ++i) {
        auto x = hn::LoadU(d, r.sums + i * 16 + lane);
        if (r.residual && !r.residual_after) x = hn::Add(x, hn::LoadU(d, r.residual + i * r.out_step + lane));
        x = Apply<f()>(d, x, slopes);
        if (r.residual && r.residual_after) x = hn::Add(x, hn::LoadU(d, r.residual + i * r.out_step + lane));
        if (r.keep) x = hn::Mul(x, keep);
        hn::StoreU(x, d, r.out + i * r.out_step + lane);
        sum = hn::Add(sum, x);
        square = hn::MulAdd(x, x, square);
      }
      if (!r.sum) continue;
      float sums[kLanes], squares[kLanes];
      hn::StoreU(sum, d, sums);
      hn::StoreU(square, d, squares);
      for (std::int64_t k = 0; k < kLanes; ++k) r.sum[lane + k] += sums[k], r.square[lane + k] += squares[k];
    }
  });
}

/// Rows of one channel whose outputs and residual lie beside each other.
void FinishPlanar(const FinishRow& r, const RowsBelow& rows) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d1;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto slope = hn::Set(d, *r.slope);
  const auto slope1 = hn::Set(d1, *r.slope);
  WithFunction(r.function, [&](auto f) HWY_ATTR {
    const float *sums = r.sums, *residual = r.residual;
    float* out = r.out;
    for (std::int64_t row = 0; row < rows.count; ++row, sums += rows.sums_step, out += rows.out_step) {
      const auto one = [&](auto tag, std::int64_t i, auto its_slope) HWY_ATTR {
        auto x = hn::LoadU(tag, sums + i);
        if (residual && !r.residual_after) x = hn::Add(x, hn::LoadU(tag, residual + i));
        x = Apply<f()>(tag, x, its_slope);
        if (residual && r.residual_after) x = hn::Add(x, hn::LoadU(tag, residual + i));
        hn::StoreU(x, tag, out + i);
      };
      std::int64_t i = 0;
      for (; i + lanes <= r.count; i += lanes) one(d, i, slope);
      for (; i < r.count; ++i) one(d1, i, slope1);
      if (residual) residual += rows.out_step;
    }
  });
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(PackBlock);
HWY_EXPORT(PackPlanar);
HWY_EXPORT(PackBlockPlanar);
HWY_EXPORT(FinishBlock);
HWY_EXPORT(FinishPlanar);

bool outside(const PackRow& r) { return !r.in || r.first >= r.count || r.first + r.length * r.step <= 0; }

float finished(const FinishRow& r, float x, std::int64_t at, std::int64_t lane) {
  if (r.residual && !r.residual_after) x += r.residual[at];
  x = pointwise(r.function, x, r.slope[lane]);
  return r.residual && r.residual_after ? x + r.residual[at] : x;
}

}  // namespace

void pack_block_row(const PackRow& r, float* out) {
  if (outside(r)) {
    for (std::int64_t phase = 0; phase < r.step; ++phase) std::fill_n(out + phase * r.phase_size, r.length * kBlock, 0.0f);
  } else if (!use_scalar()) {
    HWY_DYNAMIC_DISPATCH(PackBlock)(r, out);
  } else {
    for (std::int64_t phase = 0; phase < r.step; ++phase)
      for (std::int64_t j = 0; j < r.length; ++j)
        for (std::int64_t lane = 0; lane < kBlock; ++lane) out[phase * r.phase_size + j * kBlock + lane] = packed_input(r, phase, j, kBlock, lane);
  }
}

void pack_block_row_planar(const PackRow& r, float* out, std::int64_t channel_step, std::int64_t channels) {
  if (!outside(r) && !use_scalar()) return HWY_DYNAMIC_DISPATCH(PackBlockPlanar)(r, out, channel_step, channels);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t phase = 0; phase < r.step; ++phase)
      for (std::int64_t j = 0; j < r.length; ++j) out[c * channel_step + phase * r.phase_size + j] = packed_input(r, phase, j, kBlock, c);
}

void pack_planar_row(const PackRow& r, float* out, std::int64_t out_step) {
  if (out_step == 1 && r.step <= 2 && !outside(r) && !use_scalar() && HWY_DYNAMIC_DISPATCH(PackPlanar)(r, out)) return;
  const bool copied = !r.scale && r.function == Function::identity;
  for (std::int64_t phase = 0; phase < r.step; ++phase) {
    float* to = out + phase * r.phase_size;
    if (outside(r)) {
      for (std::int64_t j = 0; j < r.length; ++j) to[j * out_step] = 0;
    } else if (copied) {
      const Inside inside = inside_of(r, phase);
      const float* from = r.in + r.first + phase;
      for (std::int64_t j = 0; j < inside.begin; ++j) to[j * out_step] = 0;
      for (std::int64_t j = inside.begin; j < inside.end; ++j) to[j * out_step] = from[j * r.step];
      for (std::int64_t j = inside.end; j < r.length; ++j) to[j * out_step] = 0;
    } else {
      for (std::int64_t j = 0; j < r.length; ++j) to[j * out_step] = packed_input(r, phase, j, 1, 0);
    }
  }
}

void finish_block_row(const FinishRow& r) {
  if (!use_scalar()) return HWY_DYNAMIC_DISPATCH(FinishBlock)(r);
  for (std::int64_t i = 0; i < r.count; ++i) {
    for (std::int64_t lane = 0; lane < kBlock; ++lane) {
      const std::int64_t at = i * r.out_step + lane;
      const float x = finished(r, r.sums[i * kBlock + lane], at, lane) * (r.keep ? r.keep[lane] : 1);
      if (r.sum) r.sum[lane] += x, r.square[lane] += static_cast<double>(x) * x;
      r.out[at] = x;
    }
  }
}

void finish_planar_row(const FinishRow& r) { finish_planar_rows(r, {}); }

void finish_planar_rows(const FinishRow& r, const RowsBelow& rows) {
  if (!use_scalar() && r.out_step == 1) {
    HWY_DYNAMIC_DISPATCH(FinishPlanar)(r, rows);
  } else {
    for (std::int64_t row = 0; row < rows.count; ++row)
      for (std::int64_t i = 0; i < r.count; ++i) {
        const std::int64_t at = row * rows.out_step + i * r.out_step;
        r.out[at] = finished(r, r.sums[row * rows.sums_step + i], at, 0);
      }
  }
  if (!r.sum) return;
  for (std::int64_t row = 0; row < rows.count; ++row) {
    for (std::int64_t i = 0; i < r.count; ++i) {
      const double x = r.out[row * rows.out_step + i * r.out_step];
      *r.sum += x, *r.square += x * x;
    }
  }
}

void add_up(const std::vector<double>& sums, std::int64_t parts, std::int64_t lanes, double* statistics) {
  std::fill_n(statistics, 2 * parts * kBlock, 0.0);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i), lane = at % lanes, half = at / lanes % 2, part = at / (2 * lanes) % parts;
    statistics[(half * parts + part) * kBlock + lane] += sums[i];
  }
}

}  // namespace vesal::kernels
#endif
