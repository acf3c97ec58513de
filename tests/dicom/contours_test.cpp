#include "dicom/contours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

namespace vesal::dicom {
namespace {

/// What the contours cover by the even-odd rule over all of them together.
std::vector<int> covered(const std::vector<Contour>& contours, std::int64_t rows, std::int64_t columns) {
  std::vector<int> out(static_cast<std::size_t>(rows * columns), 0);
  for (const Contour& c : contours)
    fill(c, [&](std::int64_t x, std::int64_t y) {
      ASSERT_TRUE(x >= 0 && y >= 0 && x < columns && y < rows);
      ++out[static_cast<std::size_t>(y * columns + x)];
    });
  return out;
}

TEST(Contours, CoverExactlyThePixels) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    const std::int64_t rows = 1 + trial % 14, columns = 1 + trial % 11;
    std::vector<std::int64_t> plane(static_cast<std::size_t>(rows * columns));
    for (auto& v : plane) v = static_cast<std::int64_t>(random() % (trial % 2 ? 2 : 4));
    const std::vector<int> found = covered(contours_of(plane.data(), rows, columns, 1), rows, columns);
    for (std::size_t i = 0; i < plane.size(); ++i) EXPECT_EQ(found[i], plane[i] == 1 ? 1 : 0) << trial;
  }
}

TEST(Contours, AHoleIsReachedThroughAKeyhole) {
  std::vector<std::int64_t> plane(7 * 7, 0);
  for (int y = 1; y < 6; ++y)
    for (int x = 1; x < 6; ++x) plane[static_cast<std::size_t>(7 * y + x)] = x == 3 && y == 3 ? 0 : 5;
  const auto contours = contours_of(plane.data(), 7, 7, 5);
  ASSERT_EQ(contours.size(), 1u);
  EXPECT_NEAR(area_of(contours[0]), 24 - 0.5 + 0.5, 1e-9);  // half a pixel is cut off outside, and left standing inside
  std::multiset<std::pair<double, double>> points;
  for (const auto& p : contours[0]) points.insert({p[0], p[1]});
  std::set<std::pair<double, double>> twice;
  for (const auto& p : points)
    if (points.count(p) == 2) twice.insert(p);
  EXPECT_EQ(twice.size(), 2u);  // both ends of the keyhole
}

TEST(Contours, AnIslandInAHoleIsItsOwn) {
  std::vector<std::int64_t> plane(9 * 9, 0);
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 9; ++x) {
      const int r = std::max(std::abs(x - 4), std::abs(y - 4));
      plane[static_cast<std::size_t>(9 * y + x)] = r == 4 || r == 3 || r <= 1;
    }
  const auto contours = contours_of(plane.data(), 9, 9, 1);
  EXPECT_EQ(contours.size(), 2u);
  const auto found = covered(contours, 9, 9);
  for (std::size_t i = 0; i < plane.size(); ++i) EXPECT_EQ(found[i], plane[i]);
}

TEST(Contours, StraightStretchesAreOneLine) {
  std::vector<std::int64_t> plane(20 * 10, 1);
  const auto contours = contours_of(plane.data(), 20, 10, 1);
  ASSERT_EQ(contours.size(), 1u);
  EXPECT_LE(contours[0].size(), 9u);
  EXPECT_TRUE(contours_of(plane.data(), 20, 10, 2).empty());
}

}  // namespace
}  // namespace vesal::dicom
