#include "image/order_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace vesal::image {
namespace {

Array noise(const Shape& shape, bool few) {
  Array a = Array::empty(shape, DType::f32);
  Random random(7);
  for (std::int64_t i = 0; i < a.numel(); ++i)
    a.data<float>()[i] = few ? static_cast<float>(random.integer(-2, 3)) : static_cast<float>(random.normal(0, 1e3));
  return a;
}

TEST(OrderStatistics, AgreesWithSorting) {
  for (const bool few : {false, true}) {
    const Array a = noise({3, 61, 50, 40}, few);
    std::vector<float> sorted(a.data<float>(), a.data<float>() + a.numel());
    std::sort(sorted.begin(), sorted.end());
    const std::vector<std::int64_t> ranks{a.numel() - 1, 0, 1, 777, 183000, 183001, 300000};
    const int order[] = {2, 0, 3, 1};
    for (const Array& view : {a, a.permute(order), a.flip(1).flip(3)}) {
      const auto found = values_at_ranks(view, ranks);
      for (std::size_t i = 0; i < ranks.size(); ++i) EXPECT_EQ(found[i], sorted[static_cast<std::size_t>(ranks[i])]) << ranks[i];
    }
  }
}

TEST(OrderStatistics, OrdersSignsInfinitiesAndNaN) {
  const Array a = Array::from<float>({NAN, 1.f, -INFINITY, -1e-40f, INFINITY, 2e-40f, -3.f}, {7});
  const auto v = values_at_ranks(a, {0, 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(std::vector<float>(v.begin(), v.end() - 1), (std::vector<float>{-INFINITY, -3.f, -1e-40f, 2e-40f, 1.f, INFINITY}));
  EXPECT_TRUE(std::isnan(v.back()));
  EXPECT_EQ(values_at_ranks(Array::from<std::int16_t>({5, -7, 300}, {3}), {2, 0}), (std::vector<float>{300, -7}));
}

TEST(OrderStatistics, RefusesRanksOutside) {
  EXPECT_THROW(values_at_ranks(Array::zeros({4}, DType::f32), {4}), Error);
  EXPECT_THROW(values_at_ranks(Array::zeros({4}, DType::f32), {-1}), Error);
  EXPECT_THROW(values_at_ranks(Array::zeros({0}, DType::f32), {0}), Error);
}

}  // namespace
}  // namespace vesal::image
