// Oblique resampling of rows longer than a chunk, whole and box by box, against the formula.
#include "transforms/resampling.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vesal::transforms {
namespace {

const Shape kIn{7, 6, 170}, kOut{6, 8, 150};

Array scene() {
  Array a = Array::empty({2, 7, 6, 170}, DType::f32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>((i * 37) % 101);
  return a;
}

image::Affine oblique() {
  image::Affine m;
  m(0, 0) = 0.9, m(0, 1) = 0.2, m(0, 2) = 0.02, m(0, 3) = -0.7137;
  m(1, 0) = -0.15, m(1, 1) = 0.8, m(1, 2) = -0.01, m(1, 3) = 0.4219;
  m(2, 0) = 0.3, m(2, 1) = -0.4, m(2, 2) = 1.13, m(2, 3) = -1.2273;
  return m;
}

double at(const Array& a, std::int64_t c, const std::array<std::int64_t, 3>& p, bool zeros) {
  std::array<std::int64_t, 4> index{c, 0, 0, 0};
  for (int r = 0; r < 3; ++r) {
    index[r + 1] = std::clamp<std::int64_t>(p[r], 0, kIn[r] - 1);
    if (zeros && index[r + 1] != p[r]) return 0;
  }
  return a.at(index);
}

double expected(const Array& a, std::int64_t c, std::array<double, 3> p, bool linear, bool zeros) {
  double sum = 0;
  std::array<std::int64_t, 3> low;
  for (int r = 0; r < 3; ++r) {
    if (!zeros) p[r] = std::clamp(p[r], 0.0, static_cast<double>(kIn[r] - 1));
    low[r] = static_cast<std::int64_t>(linear ? std::floor(p[r]) : std::round(p[r]));
  }
  if (!linear) return at(a, c, low, zeros);
  for (int k = 0; k < 8; ++k) {
    double w = 1;
    std::array<std::int64_t, 3> corner = low;
    for (int r = 0; r < 3; ++r) {
      const double f = p[r] - static_cast<double>(low[r]);
      w *= k >> r & 1 ? f : 1 - f;
      corner[r] += k >> r & 1;
    }
    if (w > 0) sum += w * at(a, c, corner, zeros);
  }
  return sum;
}

TEST(Resampling, LongObliqueRows) {
  const Array in = scene();
  for (const char* mode : {"bilinear", "nearest"})
    for (const char* padding : {"border", "zeros"}) {
      const auto resampling = Resampling::affine(oblique(), kIn, kOut, sample_options(mode, padding, false));
      const Array out = resampling.apply(in);
      const bool linear = mode == std::string("bilinear"), zeros = padding == std::string("zeros");
      double worst = 0;
      for (std::int64_t c = 0; c < 2; ++c)
        for (std::int64_t x = 0; x < kOut[0]; ++x)
          for (std::int64_t y = 0; y < kOut[1]; ++y)
            for (std::int64_t z = 0; z < kOut[2]; ++z) {
              const auto p = image::apply(oblique(), {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
              worst = std::max(worst, std::fabs(out.at({c, x, y, z}) - expected(in, c, p, linear, zeros)));
            }
      EXPECT_LE(worst, 1e-4) << mode << ' ' << padding;
    }
}

TEST(Resampling, BoxesAreThePartsOfTheWhole) {
  const auto source = image::source_of(scene());
  for (const char* padding : {"border", "zeros", "reflection"}) {
    const auto resampling = Resampling::affine(oblique(), kIn, kOut, sample_options("bilinear", padding, false));
    const Array whole = resampling.apply(scene());
    for (const image::Box& box : {image::Box{{0, 0, 0}, {6, 8, 70}}, image::Box{{2, 3, 61}, {3, 5, 150}}, image::Box{{5, 7, 149}, {6, 8, 150}}}) {
      const Array part = resampling.read(*source, box);
      for (std::int64_t x = box.begin[0]; x < box.end[0]; ++x)
        for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
          for (std::int64_t z = box.begin[2]; z < box.end[2]; ++z)
            ASSERT_EQ(part.at({1, x - box.begin[0], y - box.begin[1], z - box.begin[2]}), whole.at({1, x, y, z})) << padding;
    }
  }
}

}  // namespace
}  // namespace vesal::transforms
