// Surface distances against MONAI's numbers (data/make_surface_distance.py).
#include "image/surface_distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "paths.h"

namespace vesal::image {
namespace {

using Numbers = std::vector<std::int64_t>;

/// The union of ellipsoids (centre, radii) of the script that made the numbers.
Array mask(const Shape& shape, const Value& balls) {
  Array out = Array::zeros(shape, DType::u8);
  std::uint8_t* voxel = out.data<std::uint8_t>();
  for (std::int64_t v = 0; v < out.numel(); ++v) {
    for (const Value& ball : balls.items()) {
      const auto centre = cast<Numbers>(ball.items()[0]), radii = cast<Numbers>(ball.items()[1]);
      std::int64_t whole = 1, sum = 0, rest = v;
      for (const std::int64_t r : radii) whole *= r;
      for (std::size_t i = shape.size(); i-- > 0; rest /= shape[i]) {
        const std::int64_t d = (rest % shape[i] - centre[i]) * (whole / radii[i]);
        sum += d * d;
      }
      if (sum <= whole * whole) voxel[v] = 1;
    }
  }
  return out;
}

void expect_number(float got, const Value& wanted, const std::string& name) {
  if (wanted.is_none()) EXPECT_TRUE(std::isnan(got)) << name << " is " << got;
  else if (wanted.is_string()) EXPECT_TRUE(std::isinf(got)) << name << " is " << got;
  else EXPECT_NEAR(got, wanted.as_float(), 5e-5) << name;
}

TEST(SurfaceDistance, AreMonais) {
  const Value root = parse_json(read_text(tests::data("image/data/surface_distance.json")));
  for (const Value& entry : root.as_dict().at("cases").items()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(entry.repr());
    const auto shape = cast<Shape>(c.at("shape"));
    const std::vector<double> spacing = c.at("spacing").is_none() ? std::vector<double>{} : cast<std::vector<double>>(c.at("spacing"));
    const Array a = mask(shape, c.at("a")), b = mask(shape, c.at("b"));
    const SurfaceDistances d = surface_distances(a, b, spacing, 1, parse_distance_rule(c.at("rule").as_string()));
    const Dict& numbers = c.at("numbers").as_dict();
    expect_number(d.hausdorff(), numbers.at("hausdorff"), "hausdorff");
    expect_number(d.hausdorff(95.0), numbers.at("hausdorff_95"), "95 %");
    expect_number(d.hausdorff(50.0), numbers.at("hausdorff_50"), "50 %");
    expect_number(d.hausdorff_a_to_b(95.0), numbers.at("directed"), "directed");
    expect_number(d.average_a_to_b(), numbers.at("average"), "average");
    expect_number(d.average_symmetric(), numbers.at("average_symmetric"), "symmetric average");
    expect_number(d.dice(1.5), numbers.at("dice"), "dice");
  }
}

TEST(SurfaceDistance, LayoutTypeAndLabelDoNotMatter) {
  const Shape shape{13, 9, 11};
  const Value ball = List{{List{{List{{4, 4, 5}}, List{{3, 2, 4}}}}}}, other = List{{List{{List{{7, 5, 4}}, List{{4, 3, 3}}}}}};
  const Array a = mask(shape, ball), b = mask(shape, other);
  const std::vector<double> spacing{0.5, 1.25, 2};
  const SurfaceDistances wanted = surface_distances(a, b, spacing);

  const int reversed[] = {2, 1, 0};  // as a file has it: x innermost; labels of 16 bits
  Array labels = Array::zeros({11, 9, 13}, DType::i16);
  labels.copy_from(a.permute(reversed));
  std::int16_t* v = labels.data<std::int16_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i) v[i] = v[i] ? 7 : static_cast<std::int16_t>(i % 3);
  Array sevens = b.to(DType::f32).clone();
  for (std::int64_t i = 0; i < sevens.numel(); ++i) sevens.data<float>()[i] *= 7;
  const SurfaceDistances got = surface_distances(labels.permute(reversed).flip(1), sevens.flip(1), spacing, 7);
  EXPECT_EQ(got.a_to_b.size(), wanted.a_to_b.size());
  EXPECT_EQ(got.hausdorff(), wanted.hausdorff());
  EXPECT_NEAR(got.average_symmetric(), wanted.average_symmetric(), 1e-6);
}

TEST(SurfaceDistance, RefusesWhatDoesNotFit) {
  const Array a = Array::zeros({3, 4}, DType::u8);
  EXPECT_THROW(surface_distances(a, Array::zeros({4, 3}, DType::u8)), Error);
  EXPECT_THROW(surface_distances(a, a, {1.0}), Error);
  EXPECT_THROW(surface_distances(a, a, {1.0, 0.0}), Error);
  EXPECT_THROW(parse_distance_rule("manhattan"), Error);
  EXPECT_THROW(surface_distances(a, a).hausdorff(101.0), Error);
}

}  // namespace
}  // namespace vesal::image
