#include "transforms/components.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/random.h"

namespace vesal::transforms {
namespace {

/// Component of each voxel by flooding, numbered from 1 in C order; 0 for background.
std::vector<std::int64_t> flooded(const Array& mask, int connectivity) {
  const std::int64_t n = mask.numel();
  const int rank = mask.dim();
  const auto place = [&](std::int64_t i) {
    std::vector<std::int64_t> at(static_cast<std::size_t>(rank));
    for (int k = rank - 1; k >= 0; --k) at[k] = i % mask.size(k), i /= mask.size(k);
    return at;
  };
  const auto touch = [&](std::int64_t a, std::int64_t b) {
    const auto p = place(a), q = place(b);
    int moved = 0;
    for (int k = 0; k < rank; ++k) {
      if (std::abs(p[k] - q[k]) > 1) return false;
      moved += p[k] != q[k];
    }
    return moved <= connectivity;
  };
  std::vector<std::int64_t> label(static_cast<std::size_t>(n), 0);
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!mask.data<std::uint8_t>()[i] || label[i]) continue;
    std::vector<std::int64_t> open{i};
    label[i] = ++next;
    while (!open.empty()) {
      const std::int64_t a = open.back();
      open.pop_back();
      for (std::int64_t b = 0; b < n; ++b)
        if (mask.data<std::uint8_t>()[b] && !label[b] && touch(a, b)) label[b] = next, open.push_back(b);
    }
  }
  return label;
}

class ComponentsOf : public testing::TestWithParam<Shape> {};

TEST_P(ComponentsOf, AgreeWithFlooding) {
  Random random(3);
  for (const double density : {0.15, 0.4, 0.7})
    for (int connectivity = 1; connectivity <= static_cast<int>(GetParam().size()); ++connectivity) {
      SCOPED_TRACE("connectivity " + std::to_string(connectivity) + ", density " + std::to_string(density));
      Array mask = Array::zeros(GetParam(), DType::u8);
      for (std::int64_t i = 0; i < mask.numel(); ++i) mask.data<std::uint8_t>()[i] = random.chance(density) ? 1 : 0;
      const auto want = flooded(mask, connectivity);
      const Components found = components_of(mask, connectivity);
      Array got = Array::zeros(GetParam(), DType::i32);
      for (std::size_t c = 0; c < found.sizes.size(); ++c) {
        std::vector<bool> only(found.sizes.size(), false);
        only[c] = true;
        fill_runs(got, found, only, static_cast<double>(c + 1));
        EXPECT_EQ(found.sizes[c], std::count(want.begin(), want.end(), static_cast<std::int64_t>(c + 1)));
      }
      for (std::int64_t i = 0; i < mask.numel(); ++i) ASSERT_EQ(got.data<std::int32_t>()[i], want[static_cast<std::size_t>(i)]) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ComponentsOf,
                         testing::Values(Shape{40}, Shape{9, 13}, Shape{1, 30}, Shape{6, 5, 11}, Shape{7, 1, 9}, Shape{3, 4, 3, 10}));

TEST(Components, FillsStridedArraysAndRefusesConnectivity) {
  const Array mask = Array::from<std::uint8_t>({1, 1, 0, 0, 0, 1}, {2, 3});
  const Components found = components_of(mask, 1);
  ASSERT_EQ(found.sizes, (std::vector<std::int64_t>{2, 1}));
  Array values = Array::full({2, 3}, DType::f32, 5);
  Array flipped = values.flip(1);
  fill_runs(flipped, found, {true, false}, 0);
  EXPECT_EQ(values.at({0, 2}), 0);
  EXPECT_EQ(values.at({0, 1}), 0);
  EXPECT_EQ(values.at({0, 0}), 5);
  EXPECT_EQ(values.at({1, 0}), 5);
  EXPECT_THROW(components_of(mask, 0), Error);
  EXPECT_THROW(components_of(mask, 3), Error);
  EXPECT_TRUE(components_of(Array::zeros({0, 4}, DType::u8), 1).runs.empty());
}

}  // namespace
}  // namespace vesal::transforms
