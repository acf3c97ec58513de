// Convolutions by minimal filtering: the algebra, its error, and random shapes at every instruction set.
#include "kernels/convolution_winograd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/convolution_case.h"
#include "kernels/convolution_winograd_rows.h"

namespace vesal::kernels::tests {
namespace {

ConvolutionShape shape_of(std::int64_t in, std::int64_t out, const Extents& extents, const Extents& kernel = {3, 3, 3}) {
  ConvolutionShape s{in, out, extents, extents, kernel};
  for (std::size_t a = 0; a < 3; ++a) s.padding[a] = kernel[a] / 2;
  return s;
}

/// Weights small enough for outputs of about 1, whatever the number of channels.
Plain random_weight(std::mt19937& random, const ConvolutionShape& s) {
  const std::int64_t products = s.in_channels * voxels(s.kernel);
  return random_numbers(random, products * s.out_channels, static_cast<float>(1 / std::sqrt(static_cast<double>(products))));
}

Case random_case(std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); };
  Case c;
  ConvolutionShape& s = c.shape;
  do {
    s = {};
    s.in_channels = pick(5, 70);
    s.out_channels = pick(5, 70);
    s.kernel = {1 + 2 * pick(0, 1), 1 + 2 * pick(0, 1), 3};
    for (std::size_t a = 0; a < 3; ++a) {
      s.in[a] = pick(1, 40);
      s.padding[a] = pick(0, s.kernel[a] - 1);
      s.in[a] = std::max(s.in[a], s.kernel[a] - 2 * s.padding[a]);
      s.out[a] = s.in[a] + 2 * s.padding[a] - s.kernel[a] + 1;
    }
  } while (!winograd_pays(s) || s.flops() > 2e7);
  c.weight = random_weight(random, s);
  fill(c, random);
  return c;
}

TEST(Winograd, AgreesWithAPlainOneOnRandomShapes) {
  at_every_simd([] {
    std::mt19937 random(3);
    for (int i = 0; i < 40 && !testing::Test::HasFailure(); ++i) expect_equal(random_case(random));
  });
}

/// Each extent along z takes another form or another remainder; 20 rows and 100 voxels are several tiles, 300 channels shorten them along z.
TEST(Winograd, AgreesAtEveryRemainderAndOverSeveralTiles) {
  at_every_simd([] {
    std::mt19937 random(4);
    std::vector<ConvolutionShape> shapes{shape_of(16, 20, {3, 4, 100}), shape_of(5, 17, {20, 21, 9}), shape_of(300, 5, {7, 7, 41})};
    for (std::int64_t z = 1; z <= 13; ++z) shapes.push_back(shape_of(18, 16, {3, 5, z})), shapes.push_back(shape_of(48, 33, {1, 9, z}, {1, 3, 3}));
    for (const ConvolutionShape& s : shapes) {
      ASSERT_TRUE(winograd_pays(s));
      Case c;
      c.shape = s;
      c.weight = random_weight(random, s);
      c.in = random_numbers(random, s.in_channels * voxels(s.in));
      expect_equal(c);
    }
  });
}

/// For every input d and tap g that is one where the others are zero, in double: the forms are exact.
TEST(Winograd, FormsAreConvolutions) {
  for (const std::int64_t outputs : {2, 4}) {
    const WinogradForm& f = winograd_form(outputs);
    ASSERT_EQ(f.products, outputs + 2);
    for (std::int64_t d = 0; d < f.products; ++d)
      for (std::int64_t g = 0; g < 3; ++g)
        for (std::int64_t i = 0; i < outputs; ++i) {
          double y = 0;
          for (std::int64_t p = 0; p < f.products; ++p)
            y += f.output[static_cast<std::size_t>(i * f.products + p)] * f.weight[static_cast<std::size_t>(p * 3 + g)] *
                 f.input[static_cast<std::size_t>(p * f.products + d)];
          EXPECT_NEAR(y, i + g == d ? 1 : 0, 1e-14) << outputs << ": output " << i << ", input " << d << ", tap " << g;
        }
  }
}

/// Against double, on numbers of unit variance through 256 channels: about as far as direct sums in float32 are, which is 1.5e-6 and 1e-5.
TEST(Winograd, LosesNoMoreThanDirectSumsDo) {
  std::mt19937 random(5);
  for (const std::int64_t z : {6, 24}) {
    SCOPED_TRACE(z);
    const ConvolutionShape s = shape_of(256, 16, {6, 6, z});
    Case c;
    c.shape = s;
    c.weight = random_weight(random, s);
    c.in = random_numbers(random, s.in_channels * voxels(s.in));
    Stored in(s.in_channels, s.in), out(s.out_channels, s.out);
    in.set(c.in);
    ConvolutionCall call;
    call.in = in.view;
    call.out = out.view;
    Convolution::make(s, c.weight.data(), nullptr)->run(call);
    const std::vector<double> want = plain_sums(c);
    const Plain got = out.plain();
    double error = 0, square = 0, worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      error += (got[i] - want[i]) * (got[i] - want[i]);
      square += want[i] * want[i];
      worst = std::max(worst, std::abs(got[i] - want[i]));
    }
    const double size = std::sqrt(square / static_cast<double>(want.size()));
    EXPECT_LT(std::sqrt(error / square), 2.5e-6);
    EXPECT_LT(worst / size, 1.5e-5);
  }
}

TEST(Winograd, IsForDenseConvolutionsOfStepOne) {
  const ConvolutionShape good = shape_of(16, 16, {8, 8, 8});
  EXPECT_TRUE(winograd_pays(good));
  ConvolutionShape s = good;
  s.stride = {1, 1, 2};
  EXPECT_FALSE(winograd_pays(s));
  s = good, s.dilation = {2, 1, 1};
  EXPECT_FALSE(winograd_pays(s));
  s = good, s.transposed = true;
  EXPECT_FALSE(winograd_pays(s));
  EXPECT_FALSE(winograd_pays(shape_of(4, 16, {8, 8, 8})));
  EXPECT_FALSE(winograd_pays(shape_of(16, 16, {8, 8, 8}, {3, 3, 1})));
  EXPECT_FALSE(winograd_pays(shape_of(16, 16, {8, 8, 8}, {1, 1, 3})));
  EXPECT_TRUE(winograd_pays(shape_of(64, 64, {8, 8, 8}, {1, 1, 3})));
}

}  // namespace
}  // namespace vesal::kernels::tests
