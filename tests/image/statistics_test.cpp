#include "image/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vesal::image {
namespace {

TEST(Statistics, AreNumpys) {
  // numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [0, 25, 50, 90, 100]) = [1, 1.75, 3.5, 6.9, 9]; mean 3.875, std 2.5708704751503917
  const Array a = Array::from<std::int16_t>({3, 1, 4, 1, 5, 9, 2, 6}, {2, 2, 2});
  const Statistics s = statistics_of(a, {0, 25, 50, 90, 100});
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.max, 9);
  EXPECT_DOUBLE_EQ(s.mean, 3.875);
  EXPECT_NEAR(s.standard_deviation, 2.5708704751503917, 1e-12);
  const double want[] = {1, 1.75, 3.5, 6.9, 9};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(s.percentiles[i], want[i], 1e-9);
}

TEST(Statistics, LeaveOutWhatIsNotFinite) {
  const Array a = Array::from<float>({1, NAN, 3, INFINITY}, {4});
  const Statistics s = statistics_of(a.flip(0), {50});
  EXPECT_EQ(s.not_finite, 2);
  EXPECT_EQ(s.max, 3);
  EXPECT_EQ(s.percentiles[0], 2);
  EXPECT_EQ(statistics_of(Array::full({2}, DType::f32, NAN), {50}).not_finite, 2);
}

}  // namespace
}  // namespace vesal::image
