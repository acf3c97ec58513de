// Passes over activations against plain loops in double, at every instruction set.
#include "kernels/map_channels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/activation_tools.h"

namespace vesal::kernels::tests {
namespace {

Extents random_extents(std::mt19937& random) {
  const auto pick = [&](std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(1, high)(random); };
  const std::int64_t dims = pick(3);
  return {dims > 2 ? pick(9) : 1, dims > 1 ? pick(17) : 1, pick(70)};
}

std::int64_t random_channels(std::mt19937& random) { return std::uniform_int_distribution<std::int64_t>(1, 40)(random); }

double exact(Function f, double x, double slope) {
  switch (f) {
    case Function::identity: return x;
    case Function::relu: return x < 0 ? 0 : x;
    case Function::leaky_relu:
    case Function::prelu: return x < 0 ? slope * x : x;
    case Function::silu: return x / (1 + std::exp(-x));
    case Function::sigmoid: return 1 / (1 + std::exp(-x));
    case Function::tanh: return std::tanh(x);
    case Function::elu: return x < 0 ? slope * std::expm1(x) : x;
  }
  return NAN;
}

Plain padded(Plain numbers, std::int64_t channels) {
  numbers.resize(static_cast<std::size_t>(blocks(channels) * kBlock), 0.0f);
  return numbers;
}

/// Sums and sums of squares of one channel, exactly.
std::pair<double, double> sums_of(const Plain& plain, std::int64_t channel, std::int64_t n) {
  double sum = 0, squares = 0;
  for (std::int64_t i = channel * n; i < (channel + 1) * n; ++i) {
    const double x = plain[static_cast<std::size_t>(i)];
    sum += x, squares += x * x;
  }
  return {sum, squares};
}

void expect_map(std::mt19937& random, bool in_place) {
  const auto flip = [&] { return std::uniform_int_distribution<int>(0, 1)(random) == 1; };
  const std::int64_t channels = random_channels(random);
  const Extents extents = random_extents(random);
  const std::int64_t n = voxels(extents);
  const Plain x = random_numbers(random, channels * n, 3), r = random_numbers(random, channels * n);
  Stored in(channels, extents, 16), out(channels, extents, 32, NAN), residual(channels, extents);
  in.set(x);
  residual.set(r);
  MapCall call;
  call.in = in.view;
  call.out = in_place ? in.view : out.view;
  const bool scaled = flip(), added = flip();
  const Plain scale = padded(random_numbers(random, channels), channels), shift = padded(random_numbers(random, channels), channels);
  if (scaled) call.map.scale = scale.data(), call.map.shift = shift.data();
  call.map.after.function = static_cast<Function>(std::uniform_int_distribution<int>(0, 7)(random));
  call.map.after.slope = flip() ? Plain{0.3f} : random_numbers(random, channels);
  const bool scaled_too = flip();
  const Plain more = padded(random_numbers(random, channels), channels), higher = padded(random_numbers(random, channels), channels);
  if (added) call.residual = residual.view;
  if (added && scaled_too) call.residual_scale = more.data(), call.residual_shift = higher.data();
  call.residual_after = flip();
  std::vector<double> statistics(static_cast<std::size_t>(2 * kBlock * blocks(channels)), NAN);
  call.statistics = statistics.data();
  SCOPED_TRACE(std::to_string(channels) + " channels of " + std::to_string(n) + ", function " +
               std::to_string(static_cast<int>(call.map.after.function)));
  map_channels(call);

  Stored& result = in_place ? in : out;
  const Plain got = result.plain();
  for (std::int64_t i = 0; i < channels * n; ++i) {
    const auto at = static_cast<std::size_t>(i), c = static_cast<std::size_t>(i / n);
    const double slope = call.map.after.slope[call.map.after.slope.size() == 1 ? 0 : c];
    double y = scaled ? static_cast<double>(scale[c]) * x[at] + shift[c] : x[at];
    const double other = scaled_too ? static_cast<double>(more[c]) * r[at] + higher[c] : r[at];
    if (added && !call.residual_after) y += other;
    const double argument = y;
    y = exact(call.map.after.function, y, slope);
    if (added && call.residual_after) y += other;
    ASSERT_NEAR(got[at], y, 2e-6 * (1 + std::fabs(y) + std::fabs(argument))) << "at " << i;
  }
  EXPECT_EQ(result.beyond(), 0);
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto [sum, squares] = sums_of(got, c, n);
    EXPECT_NEAR(statistics[static_cast<std::size_t>(c)], sum, 1e-5 * std::sqrt(squares * static_cast<double>(n)) + 1e-12);
    EXPECT_NEAR(statistics[static_cast<std::size_t>(blocks(channels) * kBlock + c)], squares, 1e-5 * squares + 1e-12);
  }
}

TEST(MapChannels, EveryFunctionWithAndWithoutResidualsAndSums) {
  at_every_simd([] {
    std::mt19937 random(1);
    for (int i = 0; i < 150; ++i) expect_map(random, i % 2 == 1);
  });
}

TEST(MapChannels, ExponentialsAreExactFarFromZero) {
  at_every_simd([] {
    const Extents extents{1, 1, 4001};
    Stored in(16, extents), out(16, extents);
    Plain x;
    for (int c = 0; c < 16; ++c)
      for (int i = 0; i <= 4000; ++i) x.push_back(static_cast<float>(i - 2000) * 0.04f);
    in.set(x);
    for (const Function f : {Function::sigmoid, Function::silu, Function::tanh, Function::elu}) {
      MapCall call{.in = in.view, .out = out.view, .map = {}, .residual = {}};
      call.map.after = {f, {1.0f}};
      map_channels(call);
      const Plain got = out.plain();
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = exact(f, x[i], 1);
        ASSERT_NEAR(got[i], want, 1e-6 * std::fabs(want) + 1e-30) << x[i] << " function " << static_cast<int>(f);
      }
    }
  });
}

TEST(MapChannels, NotANumberStays) {
  at_every_simd([] {
    for (const std::int64_t channels : {std::int64_t{2}, std::int64_t{20}})
      for (int f = 0; f <= 7; ++f) {
        Stored in(channels, {1, 1, 33});
        in.set(Plain(static_cast<std::size_t>(channels * 33), NAN));
        MapCall call{.in = in.view, .out = in.view, .map = {}, .residual = {}};
        call.map.after = {static_cast<Function>(f), {0.5f}};
        map_channels(call);
        for (const float x : in.plain()) ASSERT_TRUE(std::isnan(x)) << "function " << f;
      }
  });
}

TEST(Combine, OfWholesAndOfOneNumberPerChannel) {
  at_every_simd([] {
    std::mt19937 random(2);
    for (int i = 0; i < 100; ++i) {
      const std::int64_t channels = random_channels(random);
      const Extents extents = random_extents(random);
      const std::int64_t n = voxels(extents), m = i % 2 ? 1 : n;
      const Plain x = random_numbers(random, channels * n), y = random_numbers(random, channels * m);
      Stored a(channels, extents, 16), b(channels, i % 2 ? Extents{1, 1, 1} : extents), out(channels, extents, 16, NAN);
      a.set(x);
      b.set(y);
      const auto operation = static_cast<Operation>(i % 3);
      combine(operation, a.view, b.view, out.view);
      const Plain got = out.plain();
      for (std::int64_t k = 0; k < channels * n; ++k) {
        const float u = x[static_cast<std::size_t>(k)], v = y[static_cast<std::size_t>(m == 1 ? k / n : k)];
        ASSERT_EQ(got[static_cast<std::size_t>(k)], operation == Operation::add ? u + v : operation == Operation::subtract ? u - v : u * v);
      }
      EXPECT_EQ(out.beyond(), 0);
    }
  });
}

/// A mean ten thousand times the deviation, as CT values of an even region have it: the variance keeps its digits.
TEST(ChannelStatistics, FarFromZero) {
  at_every_simd([] {
    std::mt19937 random(3);
    for (const std::int64_t channels : {std::int64_t{1}, std::int64_t{3}, std::int64_t{19}}) {
      const Extents extents{7, 31, 53};
      const std::int64_t n = voxels(extents);
      Plain x = random_numbers(random, channels * n, 0.1f);
      for (float& v : x) v += 1000;
      Stored in(channels, extents, 48);
      in.set(x);
      const auto padded_channels = static_cast<std::size_t>(kBlock * blocks(channels));
      std::vector<double> got(2 * padded_channels, NAN);
      channel_statistics(in.view, got.data());
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
        double mean = 0, variance = 0;
        for (std::int64_t i = 0; i < n; ++i) mean += x[c * static_cast<std::size_t>(n) + static_cast<std::size_t>(i)];
        mean /= static_cast<double>(n);
        for (std::int64_t i = 0; i < n; ++i) variance += std::pow(x[c * static_cast<std::size_t>(n) + static_cast<std::size_t>(i)] - mean, 2);
        variance /= static_cast<double>(n);
        const double own = got[c] / static_cast<double>(n);
        EXPECT_NEAR(own, mean, 1e-6);
        EXPECT_NEAR(got[padded_channels + c] / static_cast<double>(n) - own * own, variance, 1e-4 * variance);
      }
      for (std::size_t c = static_cast<std::size_t>(channels); c < padded_channels; ++c) EXPECT_EQ(got[c], 0);
    }
  });
}

}  // namespace
}  // namespace vesal::kernels::tests
