// Convolutions against a plain one in double over random shapes, at every instruction set.
#include "kernels/convolution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/activation_tools.h"
#include "kernels/convolution_amx.h"
#include "kernels/convolution_bf16.h"
#include "kernels/convolution_case.h"
#include "kernels/pointwise.h"

namespace vesal::kernels::tests {
namespace {

Case random_case(std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); };
  Case c;
  ConvolutionShape& s = c.shape;
  s.transposed = pick(0, 2) == 0;
  const std::int64_t channels[] = {1, 2, 3, 4, 5, 8, 16, 17, 32, 40};
  s.in_channels = channels[pick(0, 9)];
  s.out_channels = channels[pick(0, 9)];
  if (pick(0, 3) == 0) {  // groups: depthwise, whole blocks, and neither
    s.in_channels = s.groups = channels[pick(0, 9)];
    const std::int64_t each = pick(0, 2);
    if (each == 1) s.groups = 2, s.in_channels = 32;
    s.out_channels = each == 0 ? s.groups : each == 1 ? 64 : s.groups * pick(1, 3);
  }
  const auto dims = static_cast<std::size_t>(pick(1, 3));
  for (std::size_t a = 3 - dims; a < 3; ++a) {
    s.kernel[a] = pick(1, s.transposed ? 4 : 5);
    s.stride[a] = pick(1, 3);
    s.dilation[a] = pick(1, 2);
    s.in[a] = pick(1, a == 2 ? 40 : 11);
    const std::int64_t reach = (s.kernel[a] - 1) * s.dilation[a];
    s.padding[a] = pick(0, reach);
    if (s.transposed) {
      s.out[a] = (s.in[a] - 1) * s.stride[a] - 2 * s.padding[a] + reach + 1 + pick(0, s.stride[a] - 1);
      while (s.out[a] < 1) ++s.in[a], s.out[a] += s.stride[a];
    } else {
      while (s.in[a] + 2 * s.padding[a] < reach + 1) ++s.in[a];
      s.out[a] = (s.in[a] + 2 * s.padding[a] - reach - 1) / s.stride[a] + 1;
    }
  }
  c.weight = random_numbers(random, s.in_channels * s.out_channels * voxels(s.kernel) / s.groups, 0.3f);
  fill(c, random);
  return c;
}

TEST(Convolution, AgreesWithAPlainOneOnRandomShapes) {
  at_every_simd([] {
    std::mt19937 random(7);
    for (int i = 0; i < 120 && !testing::Test::HasFailure(); ++i) expect_equal(random_case(random));
  });
}

/// bfloat16 has 8 bits: a product is off by up to 2^-8, a sum of n of them by about that times the root of the sum of their squares.
TEST(Convolution, InBfloat16AgreesAsFarAsItsBitsGo) {
  if (!has_bf16()) GTEST_SKIP() << "no bfloat16 instructions here";
  std::mt19937 random(11);
  for (int i = 0; i < 80 && !testing::Test::HasFailure(); ++i) {
    Case c = random_case(random);
    c.has_residual = false;
    c.function = {};
    SCOPED_TRACE(described(c));
    const ConvolutionShape& s = c.shape;
    Stored in(s.in_channels, s.in), half(s.out_channels, s.out, 0, NAN), full(s.out_channels, s.out);
    in.set(c.in);
    const Plain scale = padded(c.scale, s.in_channels), shift = padded(c.shift, s.in_channels);
    ConvolutionCall call;
    call.in = in.view;
    if (!c.scale.empty()) call.before.scale = scale.data(), call.before.shift = shift.data();
    call.before.after = c.before;
    const float* bias = c.bias.empty() ? nullptr : c.bias.data();
    call.out = half.view;
    Convolution::make(s, c.weight.data(), bias, Precision::bf16)->run(call);
    call.out = full.view;
    Convolution::make(s, c.weight.data(), bias)->run(call);
    const Plain a = half.plain(), b = full.plain();
    double square = 0, worst = 0;
    bool differs = false;
    for (std::size_t k = 0; k < a.size(); ++k) {
      square += static_cast<double>(b[k]) * b[k];
      worst = std::max(worst, std::isnan(a[k]) ? INFINITY : std::abs(static_cast<double>(a[k]) - b[k]));
      differs |= a[k] != b[k];
    }
    EXPECT_LT(worst, 0.03 * (0.1 + std::sqrt(square / static_cast<double>(a.size()))));
    if (s.in_channels > kMostPlanarChannels && s.out_channels > kMostPlanarChannels && s.groups == 1 && a.size() > 100 && square > 0) {
      EXPECT_TRUE(differs) << "float32 was used";
    }
  }
}

/// What AMX would do, in plain C++: the same products as AVX-512 BF16, summed in another order.
TEST(Convolution, OnTilesOfAmxAgreesWithAvx512) {
  if (!has_bf16()) GTEST_SKIP() << "no bfloat16 instructions here";
  std::mt19937 random(12);
  for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
    const Case c = random_case(random);
    SCOPED_TRACE(described(c));
    const ConvolutionShape& s = c.shape;
    Stored in(s.in_channels, s.in), tiles(s.out_channels, s.out, 0, NAN), vectors(s.out_channels, s.out, 0, NAN);
    in.set(c.in);
    ConvolutionCall call;
    call.in = in.view;
    const auto convolution = Convolution::make(s, c.weight.data(), c.bias.empty() ? nullptr : c.bias.data(), Precision::bf16);
    call.out = vectors.view;
    set_simd("AVX3");
    convolution->run(call);
    set_simd("auto");
    use_plain_tiles(true);
    call.out = tiles.view;
    convolution->run(call);
    use_plain_tiles(false);
    const Plain a = tiles.plain(), b = vectors.plain();
    double square = 0, worst = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      square += static_cast<double>(b[k]) * b[k];
      worst = std::max(worst, std::isnan(a[k]) ? INFINITY : std::abs(static_cast<double>(a[k]) - b[k]));
    }
    EXPECT_LT(worst, 1e-4 * (0.1 + std::sqrt(square / static_cast<double>(a.size()))));
    EXPECT_EQ(tiles.beyond(), 0);
  }
}

TEST(Convolution, TilesOfTheProcessorDoWhatPlainOnesDo) {
  if (tile_unit() != TileUnit::amx) GTEST_SKIP() << "no AMX here";
  std::mt19937 random(13);
  for (const std::int64_t width : {1, 5, 6, 12, 16}) {
    for (const std::int64_t rows : {1, 2, 3, 4}) {
      const std::array<std::int64_t, 4> taps{0, kPairs, 2 * kPairs, 5 * kPairs};
      constexpr std::int64_t kRow = 32 * kPairs, kPart = 5 * kRow;
      std::vector<float> local, weights;
      const auto fill = [&](std::vector<float>& of, std::int64_t n) {
        for (const float x : random_numbers(random, n)) of.push_back(bf16_pair(x, x * 3 - 1));
      };
      fill(local, 2 * kPart);
      fill(weights, 2 * 4 * kPairs * kBlock);
      const auto bias = random_numbers(random, kBlock);
      std::vector<float> got(kMostMicroSums), want(kMostMicroSums);
      MicroCall c;
      c.local = local.data(), c.taps = taps.data(), c.tap_count = 4, c.parts = 2, c.part_step = kPart, c.row_step = kRow;
      c.weights = weights.data(), c.bias = bias.data();
      c.out = got.data(), amx_tile(rows, width, TileUnit::amx).run(c);
      c.out = want.data(), amx_tile(rows, width, TileUnit::plain).run(c);
      for (std::size_t k = 0; k < got.size(); ++k) ASSERT_NEAR(got[k], want[k], 1e-3 * (1 + std::abs(want[k]))) << rows << " x " << width;
    }
  }
}

TEST(Convolution, TilesManyRowsAndLongOnes) {
  at_every_simd([] {
    std::mt19937 random(8);
    for (const auto& [in, out, extents] : std::vector<std::tuple<int, int, Extents>>{
             {16, 16, {9, 10, 100}}, {1, 16, {5, 9, 57}}, {32, 2, {6, 7, 101}}, {40, 24, {6, 6, 6}}, {20, 33, {8, 7, 12}}, {2, 2, {9, 9, 130}}}) {
      Case c;
      c.shape = {in, out, extents, extents, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1, false};
      c.weight = random_numbers(random, in * out * 27, 0.2f);
      c.in = random_numbers(random, in * voxels(extents));
      expect_equal(c);
    }
  });
}

/// A pending map on the way in, a residual and slopes on the way out; bias.
Case with_all_around(std::mt19937& random, const ConvolutionShape& shape) {
  Case c;
  c.shape = shape;
  c.weight = random_numbers(random, shape.in_channels * shape.out_channels * voxels(shape.kernel), 0.2f);
  c.bias = random_numbers(random, shape.out_channels);
  c.in = random_numbers(random, shape.in_channels * voxels(shape.in));
  c.scale = random_numbers(random, shape.in_channels);
  c.shift = random_numbers(random, shape.in_channels);
  c.before = {Function::leaky_relu, {0.1f}};
  c.function = {Function::prelu, random_numbers(random, shape.out_channels, 0.2f)};
  c.has_residual = true;
  c.residual = random_numbers(random, shape.out_channels * voxels(shape.out));
  return c;
}

/// Every number of rows and vectors that the kernels for few outputs take at once: rows slide along y where there are three taps.
TEST(Convolution, FewOutputsOfAnyWidth) {
  at_every_simd([] {
    std::mt19937 random(12);
    for (std::int64_t out = 1; out <= 4; ++out) {
      for (const auto& [in, extents, kernel_y] : std::vector<std::tuple<std::int64_t, Extents, std::int64_t>>{
               {2, {3, 11, 100}, 3}, {20, {2, 7, 21}, 3}, {1, {2, 6, 50}, 3}, {3, {2, 5, 33}, 1}}) {
        expect_equal(
            with_all_around(random, {in, out, extents, extents, {3, kernel_y, 3}, {1, 1, 1}, {1, 1, 1}, {1, (kernel_y - 1) / 2, 1}, 1, false}));
      }
    }
  });
}

/// Transposed, two outputs for an input along z: kernels whose taps feed both, only the first, only the second; odd ends; other strides along x and
/// y.
TEST(Convolution, FewOutputsOfTwoPhases) {
  at_every_simd([] {
    std::mt19937 random(13);
    for (std::int64_t out = 1; out <= 4; ++out) {
      for (const std::int64_t kernel : {1, 2, 3, 4, 5}) {
        for (const auto& [in, extents, stride, more] : std::vector<std::tuple<std::int64_t, Extents, Extents, std::int64_t>>{
                 {20, {2, 5, 49}, {2, 2, 2}, 1}, {3, {3, 4, 35}, {1, 3, 2}, 0}, {8, {1, 7, 16}, {1, 2, 2}, 1}}) {
          ConvolutionShape s{in, out, extents, extents, {extents[0] == 1 ? 1 : kernel, kernel, kernel}, stride, {1, 1, 1}, {0, 0, 0}, 1, true};
          for (std::size_t a = 0; a < 3; ++a) {
            s.padding[a] = (s.kernel[a] - 1) / 2;
            s.out[a] = (s.in[a] - 1) * s.stride[a] - 2 * s.padding[a] + s.kernel[a] + std::min(more, s.stride[a] - 1);
          }
          expect_equal(with_all_around(random, s));
        }
      }
    }
  });
}

/// 9121 outputs of one phase and 9120 of the other: the last tile has one of the first and none of the second.
TEST(Convolution, ATileMayHoldNothingOfAPhase) {
  at_every_simd([] {
    std::mt19937 random(10);
    Case c;
    c.shape = {1, 1, {1, 1, 9121}, {1, 1, 18241}, {1, 1, 3}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}, 1, true};
    c.weight = random_numbers(random, 3);
    c.in = random_numbers(random, 9121);
    expect_equal(c);
  });
}

TEST(Convolution, TheResidualMayBeTheOutput) {
  std::mt19937 random(9);
  const Extents e{5, 6, 30};
  const ConvolutionShape shape{16, 16, e, e, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1, false};
  const Plain weight = random_numbers(random, 16 * 16 * 27, 0.2f), numbers = random_numbers(random, 16 * voxels(e)),
              first = random_numbers(random, 16 * voxels(e));
  const auto convolution = Convolution::make(shape, weight.data(), nullptr);
  Stored in(16, e), apart(16, e), residual(16, e), together(16, e);
  in.set(numbers);
  residual.set(first);
  together.set(first);
  ConvolutionCall call;
  call.in = in.view;
  call.out = apart.view;
  call.residual = residual.view;
  convolution->run(call);
  call.out = call.residual = together.view;
  convolution->run(call);
  EXPECT_EQ(apart.plain(), together.plain());
}

}  // namespace
}  // namespace vesal::kernels::tests
