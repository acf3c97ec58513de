#include "image/phantom.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/parallel.h"

namespace vesal::image {
namespace {

struct Organ {
  double ml = 0, hu = 0;
  std::array<double, 3> centre{};
};

Organ measure(const Phantom& p, int label) {
  Organ o;
  const Array& labels = p.labels.array();
  const Shape& s = labels.shape();
  std::int64_t n = 0;
  for (std::int64_t x = 0; x < s[0]; ++x)
    for (std::int64_t y = 0; y < s[1]; ++y)
      for (std::int64_t z = 0; z < s[2]; ++z) {
        const std::int64_t i = (x * s[1] + y) * s[2] + z;
        if (labels.data<std::uint8_t>()[i] != label) continue;
        const auto w = apply(p.labels.affine, {double(x), double(y), double(z)});
        for (int a = 0; a < 3; ++a) o.centre[a] += w[a];
        o.hu += p.ct.array().data<float>()[i];
        ++n;
      }
  if (n == 0) return o;
  for (double& c : o.centre) c /= double(n);
  o.hu /= double(n);
  const auto v = spacing_of(p.labels.affine);
  o.ml = double(n) * v[0] * v[1] * v[2] / 1000;
  return o;
}

const PhantomOptions kCoarse{{4, 4, 5}, "RAS", 260};

TEST(Phantom, OrgansLieOnTheirSideWithPlausibleVolumeAndHu) {
  int with_spleen = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Phantom p = make_phantom(seed, kCoarse);
    const Organ spleen = measure(p, 1), liver = measure(p, 5);
    if (spleen.ml == 0) continue;
    ++with_spleen;
    EXPECT_LT(spleen.centre[0], -30) << "the spleen is on the patient's left, seed " << seed;
    EXPECT_GT(liver.centre[0], 0) << "seed " << seed;
    EXPECT_LT(spleen.ml, 1500) << "seed " << seed;
    EXPECT_GT(liver.ml, 200) << "seed " << seed;
    EXPECT_GT(spleen.hu, 25) << "seed " << seed;
    EXPECT_LT(spleen.hu, 150) << "seed " << seed;
  }
  EXPECT_GE(with_spleen, 5);
}

TEST(Phantom, SameSeedIsTheSameBitForBitWhateverTheThreads) {
  const PhantomOptions tiny{{8, 8, 10}, "LPS", 120};
  const Phantom a = make_phantom(7, tiny);
  const int before = thread_count();
  set_thread_count(1);
  const Phantom b = make_phantom(7, tiny);
  set_thread_count(before);
  ASSERT_EQ(a.ct.shape(), b.ct.shape());
  EXPECT_EQ(0, std::memcmp(a.ct.array().raw(), b.ct.array().raw(), a.ct.array().nbytes()));
  EXPECT_EQ(0, std::memcmp(a.labels.array().raw(), b.labels.array().raw(), a.labels.array().nbytes()));
  const Phantom c = make_phantom(8, tiny);
  EXPECT_TRUE(c.ct.shape() != a.ct.shape() || std::memcmp(a.ct.array().raw(), c.ct.array().raw(), a.ct.array().nbytes()) != 0);
}

TEST(Phantom, StoredOrientationDoesNotMoveTheBody) {
  PhantomOptions options{{5, 5, 6}, "RAS", 200};
  const Organ ras = measure(make_phantom(3, options), 5);
  options.orientation = "SLP";
  const Phantom turned = make_phantom(3, options);
  EXPECT_EQ("SLP", axcodes(orientation_of(turned.ct.affine)));
  const Organ slp = measure(turned, 5);
  for (int a = 0; a < 3; ++a) EXPECT_NEAR(ras.centre[a], slp.centre[a], 0.5);
}

TEST(Phantom, AnotherLookIsTheSameBody) {
  PhantomOptions options{{5, 5, 6}, "RAS", 200};
  const Phantom plain = make_phantom(3, options);
  options.contrast = 0.5;
  options.hu_shift = -20;
  const Phantom flat = make_phantom(3, options);
  EXPECT_EQ(0, std::memcmp(plain.labels.array().raw(), flat.labels.array().raw(), plain.labels.array().nbytes()));
  EXPECT_NEAR(measure(flat, 5).hu, 40 + 0.5 * (measure(plain, 5).hu - 40) - 20, 0.6);
  EXPECT_NEAR(flat.ct.array().data<float>()[0], -1020, 40) << "air stays air";

  options = {{5, 5, 6}, "RAS", 200};
  options.noise_hu = 40;
  const Phantom noisy = make_phantom(3, options);
  double squares = 0;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < plain.ct.array().numel(); ++i) {
    const double before = plain.ct.array().data<float>()[i];
    if (before < -800) continue;  // where nothing is cut off
    squares += std::pow(noisy.ct.array().data<float>()[i] - before, 2);
    ++count;
  }
  EXPECT_NEAR(std::sqrt(squares / double(count)), 40, 2);
  EXPECT_NEAR(measure(noisy, 5).hu, measure(plain, 5).hu, 2);
}

TEST(Phantom, RefusesSenselessOptions) {
  PhantomOptions senseless{{8, 8, 10}, "LPS", 120};
  senseless.contrast = 0;
  EXPECT_THROW(make_phantom(1, senseless), Error);
  senseless = {{8, 8, 10}, "LPS", 120};
  senseless.noise_hu = -1;
  EXPECT_THROW(make_phantom(1, senseless), Error);
  EXPECT_THROW(make_phantom(1, {{0.01, 1, 1}, "", 0}), Error);
  EXPECT_THROW(make_phantom(1, {{0, 0, 0}, "RRS", 0}), Error);
  EXPECT_THROW(make_phantom(1, {{0, 0, 0}, "", 1e7}), Error);
}

}  // namespace
}  // namespace vesal::image
