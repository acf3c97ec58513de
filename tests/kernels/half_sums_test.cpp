#include "kernels/half_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/simd.h"

namespace vesal::kernels {
namespace {

struct AutoSimd {
  ~AutoSimd() { set_simd("auto"); }
};

TEST(HalfSums, EveryInstructionSetAgreesWithTheScalarForm) {
  const AutoSimd restore;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> value(-100, 100), weight(0, 1);
  for (const std::int64_t count : {1, 7, 16, 33, 250}) {
    std::vector<float> x(static_cast<std::size_t>(count)), w(x.size());
    for (auto& v : x) v = value(random);
    for (auto& v : w) v = weight(random);
    x[0] = 1e9f;
    if (count > 20) x[2] = -1e9f, x[3] = std::numeric_limits<float>::quiet_NaN(), x[4] = 1e-6f, w[0] = 1;
    std::vector<float> want;
    for (const std::string& name : simd_choices()) {
      set_simd(name);
      std::vector<Half> sum(count, Half(99));
      std::vector<float> out(count);
      add_weighted_half(x.data(), w.data(), count, true, sum.data());
      add_weighted_half(x.data(), w.data(), count, false, sum.data());
      half_to_float(sum.data(), count, out.data());
      if (want.empty()) {
        want = out;
        EXPECT_EQ(out[0], w[0] * 1e9f > 65504 ? 65504 : 0);
        for (std::int64_t i = 5; i < count; ++i) ASSERT_NEAR(out[i], 2 * x[i] * w[i], std::fabs(x[i]) / 500 + 1e-6) << i;
      }
      for (std::int64_t i = 0; i < count; ++i) {
        if (std::isnan(want[i])) ASSERT_TRUE(std::isnan(out[i])) << name;
        else ASSERT_EQ(out[i], want[i]) << name << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace vesal::kernels
