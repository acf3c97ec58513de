// Source of the instructions: Intel Architecture Instruction Set Extensions, chapter "Intel AMX"; of the permission: Linux, x86/xstate.rst.
#include "kernels/convolution_amx.h"

#include <hwy/highway.h>

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "kernels/convolution_bf16.h"
#include "kernels/simd.h"

#if HWY_ARCH_X86_64
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

HWY_PUSH_ATTRIBUTES("amx-tile,amx-bf16")
#endif

namespace vesal::kernels {
namespace {

constexpr int kMostRows = 4, kMostWidth = 16;
static_assert(kMostRows * kMostWidth * kBlock <= kMostMicroSums && kMostWidth < kMicroSlack);
constexpr std::int64_t kPositionBytes = kPairs * static_cast<std::int64_t>(sizeof(float));

/// LDTILECFG's operand. Tiles 0 to 3 hold sums, one row of outputs each. 4 and 5 hold inputs and weights of two taps that lie beside each other, as
/// one tap of twice the channels; 6 and 7 those of one tap.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14]{};
  std::uint16_t row_bytes[16]{64, 64, 64, 64, 64, 64, 32, 64};
  std::uint8_t rows[16]{};
  constexpr explicit TileConfig(std::uint8_t width) : rows{width, width, width, width, width, 16, width, 8} {}
};
template <int kWidth>
constexpr TileConfig kConfig{kWidth};

/// The plain form of a processor's tiles, as far as they are used here.
struct PlainTiles {
  float sums[kMostRows][kMostWidth][kBlock];
  const float* weights;
  int width;

  void configure(const TileConfig& config) { width = config.rows[0]; }
  void release() {}
  template <int kRow>
  void start(const float* bias) {
    for (int p = 0; p < width; ++p) std::copy_n(bias, kBlock, sums[kRow][p]);
  }
  template <bool kTwo>
  void load_weights(const float* from) {
    weights = from;
  }
  template <bool kTwo, int kRow>
  void multiply(const float* in) {
    const auto number = [](std::uint32_t bits) { return std::bit_cast<float>(bits); };
    for (int p = 0; p < width; ++p) {
      for (int pair = 0; pair < (kTwo ? 2 : 1) * kPairs; ++pair) {
        const auto x = std::bit_cast<std::uint32_t>(in[p * kPairs + pair]);
        for (int o = 0; o < kBlock; ++o) {
          const auto w = std::bit_cast<std::uint32_t>(weights[pair * kBlock + o]);
          sums[kRow][p][o] += number(x << 16) * number(w << 16);
          sums[kRow][p][o] += number(x & 0xffff0000u) * number(w & 0xffff0000u);
        }
      }
    }
  }
  template <int kRow>
  void store(float* out) const {
    std::copy_n(&sums[kRow][0][0], width * kBlock, out);
  }
};

#if HWY_ARCH_X86_64
/// The instructions name their tiles as literals.
struct AmxTiles {
  void configure(const TileConfig& config) { _tile_loadconfig(&config); }
  void release() { _tile_release(); }
  template <int kRow>
  void start(const float* bias) {  // the same row again and again
    if constexpr (kRow == 0) _tile_loadd(0, bias, 0);
    if constexpr (kRow == 1) _tile_loadd(1, bias, 0);
    if constexpr (kRow == 2) _tile_loadd(2, bias, 0);
    if constexpr (kRow == 3) _tile_loadd(3, bias, 0);
  }
  template <bool kTwo>
  void load_weights(const float* from) {
    if constexpr (kTwo) _tile_loadd(5, from, kBlock * sizeof(float));
    else _tile_loadd(7, from, kBlock * sizeof(float));
  }
  template <bool kTwo, int kRow>
  void multiply(const float* in) {
    if constexpr (kTwo) _tile_loadd(4, in, kPositionBytes);
    else _tile_loadd(6, in, kPositionBytes);
    if constexpr (kTwo && kRow == 0) _tile_dpbf16ps(0, 4, 5);
    if constexpr (kTwo && kRow == 1) _tile_dpbf16ps(1, 4, 5);
    if constexpr (kTwo && kRow == 2) _tile_dpbf16ps(2, 4, 5);
    if constexpr (kTwo && kRow == 3) _tile_dpbf16ps(3, 4, 5);
    if constexpr (!kTwo && kRow == 0) _tile_dpbf16ps(0, 6, 7);
    if constexpr (!kTwo && kRow == 1) _tile_dpbf16ps(1, 6, 7);
    if constexpr (!kTwo && kRow == 2) _tile_dpbf16ps(2, 6, 7);
    if constexpr (!kTwo && kRow == 3) _tile_dpbf16ps(3, 6, 7);
  }
  template <int kRow>
  void store(float* out) {
    if constexpr (kRow == 0) _tile_stored(0, out, kBlock * sizeof(float));
    if constexpr (kRow == 1) _tile_stored(1, out, kBlock * sizeof(float));
    if constexpr (kRow == 2) _tile_stored(2, out, kBlock * sizeof(float));
    if constexpr (kRow == 3) _tile_stored(3, out, kBlock * sizeof(float));
  }
};
#else
using AmxTiles = PlainTiles;
#endif

/// What follows is done for each row of outputs; rows are numbers of tiles and therefore constants.
template <int kRows, class Tiles>
[[gnu::always_inline]] inline void start_rows(Tiles& tiles, const float* bias) {
  tiles.template start<kRows - 1>(bias);
  if constexpr (kRows > 1) start_rows<kRows - 1>(tiles, bias);
}
template <int kRows, bool kTwo, class Tiles>
[[gnu::always_inline]] inline void multiply_rows(Tiles& tiles, const float* in, std::int64_t row_step) {
  tiles.template multiply<kTwo, kRows - 1>(in + (kRows - 1) * row_step);
  if constexpr (kRows > 1) multiply_rows<kRows - 1, kTwo>(tiles, in, row_step);
}
template <int kRows, class Tiles>
[[gnu::always_inline]] inline void store_rows(Tiles& tiles, float* out, std::int64_t size) {
  tiles.template store<kRows - 1>(out + (kRows - 1) * size);
  if constexpr (kRows > 1) store_rows<kRows - 1>(tiles, out, size);
}

/// Sums kRows x kWidth outputs. Neighbouring taps, as those along z are without dilation, go together: their inputs and weights follow each other.
template <class Tiles, int kRows, int kWidth>
void sum_up(const MicroCall& c) {
  Tiles tiles;
  tiles.configure(kConfig<kWidth>);
  start_rows<kRows>(tiles, c.bias);
  const float* w = c.weights;
  const float* local = c.local;
  for (std::int64_t part = 0; part < c.parts; ++part, local += c.part_step) {
    for (std::int64_t t = 0; t < c.tap_count;) {
      const float* in = local + c.taps[t];
      if (t + 1 < c.tap_count && c.taps[t + 1] == c.taps[t] + kPairs) {
        tiles.template load_weights<true>(w);
        multiply_rows<kRows, true>(tiles, in, c.row_step);
        t += 2;
        w += 2 * kPairs * kBlock;
      } else {
        tiles.template load_weights<false>(w);
        multiply_rows<kRows, false>(tiles, in, c.row_step);
        t += 1;
        w += kPairs * kBlock;
      }
    }
  }
  store_rows<kRows>(tiles, c.out, kWidth * kBlock);
  tiles.release();
}

/// The narrowest of a few widths that equal parts of `width` fit into, and as many of the rows as equal parts of no more than four have.
template <class Tiles>
MicroTile choose(std::int64_t rows, std::int64_t width) {
  const auto part = [](std::int64_t n, std::int64_t most) {
    const std::int64_t parts = (n + most - 1) / most;
    return static_cast<int>((n + parts - 1) / parts);
  };
  const int tall = part(std::max<std::int64_t>(1, rows), kMostRows), wide = part(std::max<std::int64_t>(1, width), kMostWidth);
  MicroTile best;
  const auto offer = [&]<int kRows, int kWidth>() {
    if (!best.run && kRows == tall && kWidth >= wide) best = {kRows, kWidth, &sum_up<Tiles, kRows, kWidth>};
  };
  const auto widths = [&]<int kRows>() {
    offer.template operator()<kRows, 2>();
    offer.template operator()<kRows, 4>();
    offer.template operator()<kRows, 6>();
    offer.template operator()<kRows, 8>();
    offer.template operator()<kRows, 12>();
    offer.template operator()<kRows, 16>();
  };
  widths.template operator()<1>();
  widths.template operator()<2>();
  widths.template operator()<3>();
  widths.template operator()<4>();
  return best;
}

#if HWY_ARCH_X86_64
/// Whether the processor has tiles of bfloat16 and the system saves them. Linux wants to be asked, once for the whole process.
bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (kBf16 | kTile)) != (kBf16 | kTile)) return false;
  constexpr long kAskPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kAskPermission, kTileData) == 0;
}

#else
bool has_tiles() { return false; }
#endif

/// One tile of both, on small whole numbers, which are exact in whatever order they are summed.
bool agree_on_a_trial() {
  constexpr std::int64_t kTaps = 3, kParts = 2, kRow = (kMostWidth + kTaps) * kPairs, kPart = kMostRows * kRow;
  const std::array<std::int64_t, kTaps> taps{0, kPairs, 2 * kPairs};
  std::vector<float> local, weights, bias(kBlock, 3.0f);
  for (int i = 0; i < kParts * kPart; ++i) local.push_back(bf16_pair(static_cast<float>(i * 7 % 13 - 6), static_cast<float>(i * 5 % 11 - 5)));
  for (int i = 0; i < kParts * kTaps * kPairs * kBlock; ++i)
    weights.push_back(bf16_pair(static_cast<float>(i % 7 - 3), static_cast<float>(i % 5 - 2)));
  std::array<std::vector<float>, 2> sums;
  for (std::size_t which = 0; which < 2; ++which) {
    sums[which].assign(kMostRows * kMostWidth * kBlock, 0.0f);
    MicroCall c;
    c.local = local.data(), c.taps = taps.data(), c.tap_count = kTaps;
    c.parts = kParts, c.part_step = kPart, c.row_step = kRow;
    c.weights = weights.data(), c.bias = bias.data(), c.out = sums[which].data();
    amx_tile(kMostRows, kMostWidth, which ? TileUnit::amx : TileUnit::plain).run(c);
  }
  return sums[0] == sums[1];
}

bool has_amx() {
  if (!has_bf16() || !has_tiles()) return false;
  if (agree_on_a_trial()) return true;
  log::warning("this processor's AMX tiles do not give what they should; AVX-512 is used instead");
  return false;
}

std::atomic<bool> plain_wanted{false};

}  // namespace

TileUnit tile_unit() {
  if (plain_wanted) return TileUnit::plain;
  if (!chosen_by_machine()) return TileUnit::none;
  static const bool has = has_amx();
  return has ? TileUnit::amx : TileUnit::none;
}

void use_plain_tiles(bool wanted) { plain_wanted = wanted; }

MicroTile amx_tile(std::int64_t rows, std::int64_t width, TileUnit unit) {
  return unit == TileUnit::amx ? choose<AmxTiles>(rows, width) : choose<PlainTiles>(rows, width);
}

}  // namespace vesal::kernels

#if HWY_ARCH_X86_64
HWY_POP_ATTRIBUTES
#endif
