#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace vesal {
namespace {

TEST(Random, SameSeedSameNumbers) {
  Random a(7), b(7), c(8);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  a.normal();
  a.reseed(7);
  EXPECT_EQ(a.next(), first);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(1);
  const int n = 200000;
  double sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(2, 4);
    ASSERT_GE(u, 2);
    ASSERT_LT(u, 4);
    sum += u;
    const double v = random.normal(1, 3);
    normal_sum += v;
    normal_squares += (v - 1) * (v - 1);
  }
  EXPECT_NEAR(sum / n, 3, 0.01);
  EXPECT_NEAR(normal_sum / n, 1, 0.03);
  EXPECT_NEAR(std::sqrt(normal_squares / n), 3, 0.03);
}

TEST(Random, IntegersCoverTheirRangeEvenly) {
  Random random(2);
  std::array<int, 5> counts{};
  for (int i = 0; i < 50000; ++i) ++counts.at(random.integer(-2, 3) + 2);
  for (int c : counts) EXPECT_NEAR(c, 10000, 500);
}

TEST(Random, PermutationsHoldEveryNumberOnce) {
  Random random(3);
  std::vector<std::int64_t> order = random.permutation(100), again = random.permutation(100);
  EXPECT_NE(order, again);
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(Random, StreamsOfOneSeedDiffer) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (std::uint64_t n = 0; n < 50; ++n) seeds.insert(mix_seed(seed, n));
  EXPECT_EQ(seeds.size(), 2500u);
}

TEST(GlobalSeed, TellsOthers) {
  static std::uint64_t told = 0;
  const OnSeed seeding([](std::uint64_t seed) { told = seed; });
  set_global_seed(42);
  EXPECT_EQ(global_seed(), 42u);
  EXPECT_EQ(told, 42u);
}

}  // namespace
}  // namespace vesal
