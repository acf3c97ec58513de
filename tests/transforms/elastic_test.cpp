// Elastic deformations: against MONAI with given offsets (data/make_elastic.py), and what the random ones draw.
#include <algorithm>
#include <numeric>

#include "golden.h"
#include "transforms/affine_sampling.h"
#include "transforms/deformation.h"

namespace vesal::transforms {
namespace {

using namespace tests;

const Golden& golden() {
  static const Golden g("elastic");
  return g;
}

/// The offsets the script gives MONAI.
Array offsets(Shape shape, std::int64_t channels) {
  shape.insert(shape.begin(), channels);
  Array a = formula(shape, false);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = a.data<float>()[i] / 50.5f - 1;
  return a;
}

image::VoxelSourcePtr field_of(const Dict& c) {
  AffineParameters p;
  const auto numbers = [&](const char* name) { return c.contains(name) ? cast<std::vector<double>>(c.at(name)) : std::vector<double>(); };
  p = {numbers("rotate"), numbers("shear"), numbers("translate"), numbers("scale")};
  const Shape out = cast<Shape>(c.at("spatial_size"));
  const Affine matrix = affine_matrix(p, static_cast<int>(out.size()));
  const double magnitude = c.at("magnitude").as_float();
  if (out.size() == 3) return smoothed_places(image::source_of(offsets(out, 3)), c.at("sigma").as_float(), magnitude, matrix);
  const auto spacing = cast<std::vector<double>>(c.at("spacing"));
  const std::array<double, 2> pair{spacing[0], spacing[1]};
  EXPECT_EQ(control_shape(out, pair), cast<Shape>(c.at("control")));
  return control_places(offsets(control_shape(out, pair), 2), pair, magnitude, matrix, out);
}

TEST(Deformation, AgreesWithMonai) {
  for (const Value& v : golden().cases) {
    const Dict& c = v.as_dict();
    SCOPED_TRACE(to_json(v, -1).substr(0, 300));
    const std::string mode = c.at("mode").as_string();
    const Deformed image{formula(cast<Shape>(c.at("shape")), false), sample_options(mode, c.at("padding_mode").as_string(), false)};
    const auto out = deform(*field_of(c), {image, image});
    ASSERT_EQ(out.size(), 2u);
    const Array want = golden().array(c.at("out").as_dict());
    ASSERT_EQ(out[1].shape(), want.shape());
    // torch weighs control points in float32: that misplaces pixels by up to 1e-6 of the spacing, where values step by up to 100.
    const double tolerance = mode == "nearest"       ? 0
                             : c.contains("spacing") ? 2e-4 * std::max(1.0, cast<std::vector<double>>(c.at("spacing"))[1])
                                                     : 1e-4;
    for (std::int64_t i = 0; i < want.numel(); ++i) EXPECT_NEAR(out[1].data<float>()[i], want.data<float>()[i], tolerance);
  }
}

TEST(Deformation, BoxesOfAFieldAreParts) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const auto field = field_of(golden().cases[i].as_dict());
    const Shape& shape = field->spatial_shape();
    const Array whole = image::materialize(*field);
    image::Box box{Shape(shape.size(), 1), shape};
    box.end[0] = 5;
    const Array part = field->read(box).contiguous();
    Array want = whole;
    for (std::size_t k = 0; k < shape.size(); ++k) want = want.slice(static_cast<int>(k) + 1, box.begin[k], box.end[k]);
    want = want.contiguous();
    ASSERT_EQ(part.shape(), want.shape());
    for (std::int64_t k = 0; k < part.numel(); ++k) EXPECT_NEAR(part.data<float>()[k], want.data<float>()[k], 1e-5);
  }
}

TEST(Deformation, NoiseIsUniformAndTheSameInAnyBox) {
  const auto noise = uniform_noise(7, 3, {20, 30, 40});
  const Array all = noise->read({{0, 0, 0}, {20, 30, 40}});
  const float* p = all.data<float>();
  const double n = static_cast<double>(all.numel());
  double mean = 0, square = 0, neighbours = 0;
  for (std::int64_t i = 0; i < all.numel(); ++i) {
    ASSERT_GE(p[i], -1.f);
    ASSERT_LT(p[i], 1.f);
    mean += p[i] / n, square += p[i] * p[i] / n;
    if (i > 0) neighbours += p[i] * p[i - 1] / n;
  }
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(square, 1.0 / 3, 0.01);
  EXPECT_NEAR(neighbours, 0, 0.01);
  const Array part = noise->read({{3, 4, 5}, {9, 8, 21}});
  const Array want = all.slice(1, 3, 9).slice(2, 4, 8).slice(3, 5, 21).contiguous();
  EXPECT_EQ(std::memcmp(part.raw(), want.raw(), want.nbytes()), 0);
  EXPECT_NE(std::memcmp(uniform_noise(8, 3, {20, 30, 40})->read({{0, 0, 0}, {20, 30, 40}}).raw(), all.raw(), all.nbytes()), 0);
}

std::shared_ptr<Transform> make(const std::string& name, const std::string& args) {
  return transform_of(parse_json(R"({"transform": ")" + name + R"(", "args": )" + args + "}").as_dict());
}

/// A volume whose values are the positions along one axis: deformed, it shows the offsets.
Array positions(const Shape& shape, int axis) {
  Array a = Array::empty(shape, DType::f32);
  std::int64_t inner = 1;
  for (int k = axis + 1; k < a.dim(); ++k) inner *= shape[k];
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>(i / inner % shape[axis]);
  return a;
}

/// How far voxels well inside moved along an axis: the largest and the mean square, and the mean square step between neighbours.
struct Motion {
  double largest = 0, square = 0, step = 0;
};
Motion motion(const Array& out, const Array& in, std::int64_t margin) {
  Motion m;
  const std::int64_t nx = out.size(1), ny = out.size(2), nz = out.size(3);
  std::int64_t n = 0;
  const auto at = [&](std::int64_t x, std::int64_t y, std::int64_t z) {
    const std::int64_t i = (x * ny + y) * nz + z;
    return static_cast<double>(out.data<float>()[i]) - in.data<float>()[i];
  };
  for (std::int64_t x = margin; x < nx - margin; ++x)
    for (std::int64_t y = margin; y < ny - margin; ++y)
      for (std::int64_t z = margin; z < nz - margin; ++z, ++n) {
        m.largest = std::max(m.largest, std::fabs(at(x, y, z)));
        m.square += at(x, y, z) * at(x, y, z);
        m.step += std::pow(at(x, y, z + 1) - at(x, y, z), 2);
      }
  m.square /= static_cast<double>(n), m.step /= static_cast<double>(n);
  return m;
}

TEST(Elastic, OffsetsHaveTheSizeAndSmoothnessAskedFor) {
  const Shape shape{1, 44, 48, 52};
  const auto t = make("Rand3DElastic", R"({"sigma_range": [1, 1], "magnitude_range": [3, 3], "prob": 1})");
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(2);
  for (int axis = 1; axis <= 3; ++axis) {
    const Array in = positions(shape, axis);
    const Motion m = motion(image::array_of(t->apply(in)), in, 6);
    // White noise of variance 1/3, smoothed along three axes, times the magnitude. The kernel is a Gaussian over a voxel's width.
    const double variance = 1 + 1.0 / 12, square = 9.0 / 3 / std::pow(4 * M_PI * variance, 1.5);
    EXPECT_NEAR(m.square, square, 0.15 * square);
    EXPECT_LT(m.largest, 3);
    EXPECT_NEAR(m.step, 2 * m.square * (1 - std::exp(-1 / (4 * variance))), 0.1 * m.step);
  }
  const Array flat = positions({1, 60, 70}, 2);
  const auto flat_deform = make("Rand2DElastic", R"({"spacing": 10, "magnitude_range": [2, 2], "prob": 1})");
  std::dynamic_pointer_cast<Randomizable>(flat_deform)->set_seed(2);
  double square = 0, step = 0, n = 0;
  for (int i = 0; i < 20; ++i) {
    const Array out = image::array_of(flat_deform->apply(flat));
    for (std::int64_t k = 0; k < out.numel() - 1; ++k) {
      const std::int64_t y = k % 70;
      if (y < 10 || y > 58) continue;
      const double d = out.data<float>()[k] - flat.data<float>()[k], next = out.data<float>()[k + 1] - flat.data<float>()[k + 1];
      square += d * d, step += (next - d) * (next - d), ++n;
    }
  }
  EXPECT_GT(square / n, 0.3 * 4);  // normal offsets of deviation 2, less between the control points
  EXPECT_LT(square / n, 4);
  EXPECT_LT(step, 0.05 * square);
}

TEST(Elastic, KeysShareTheFieldWhateverTheirModesAndExtents) {
  const auto t = make("Rand3DElasticd", R"({"keys": ["image", "label", "gone", "small"], "sigma_range": [1, 2], "magnitude_range": [3, 5], "prob": 1,
      "spatial_size": [-1, 12, 14], "rotate_range": 0.4, "mode": ["bilinear", "nearest", "nearest", "bilinear"], "padding_mode": "border", "allow_missing_keys": true})");
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(4);
  const Array in = positions({1, 12, 12, 14}, 2);
  const Value item = Dict{{"image", in}, {"label", in}, {"small", positions({2, 10, 12, 12}, 2)}};
  const Value first = t->apply(item);
  const auto of = [&](const char* key) { return image::array_of(first.as_dict().at(key)).contiguous(); };
  ASSERT_EQ(of("label").shape(), in.shape());
  EXPECT_EQ(of("small").shape(), (Shape{2, 12, 12, 14}));
  for (std::int64_t i = 0; i < in.numel(); ++i) {
    EXPECT_NEAR(of("label").data<float>()[i], of("image").data<float>()[i], 0.5 + 1e-4);
    EXPECT_NEAR(of("small").data<float>()[i], of("image").data<float>()[i], 1e-4);  // positions along an axis of equal extent
  }
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(4);
  const Value again = t->apply(item), other = t->apply(item);
  const auto same = [&](const Value& v) {
    const Array got = image::array_of(v.as_dict().at("image")).contiguous();
    return std::memcmp(got.raw(), of("image").raw(), got.nbytes()) == 0;
  };
  EXPECT_TRUE(same(again));
  EXPECT_FALSE(same(other));
}

TEST(Elastic, WithoutAChangeTheMiddleOfTheImageIsLeft) {
  for (const char* name : {"Rand2DElastic", "Rand3DElastic"}) {
    const bool flat = name[4] == '2';
    const std::string own = flat ? R"("spacing": 3)" : R"("sigma_range": [1, 2])";
    const Array in = formula(flat ? Shape{2, 7, 6} : Shape{1, 7, 6, 5}, false);
    const std::string size = flat ? "[3, 4]" : "[3, 4, -1]";
    const Array out =
        image::array_of(make(name, "{" + own + R"(, "magnitude_range": [1, 2], "prob": 0, "spatial_size": )" + size + "}")->apply(in)).contiguous();
    const Array want = in.slice(1, 2, 5).slice(2, 1, 5).contiguous();
    ASSERT_EQ(out.shape(), want.shape());
    for (std::int64_t i = 0; i < out.numel(); ++i) EXPECT_NEAR(out.data<float>()[i], want.data<float>()[i], 1e-4);
  }
}

TEST(Elastic, BadArgumentsAreRefused) {
  EXPECT_THROW(make("Rand3DElastic", R"({"sigma_range": 3, "magnitude_range": [1, 2]})"), Error);
  EXPECT_THROW(make("Rand3DElastic", R"({"sigma_range": [-1, 3], "magnitude_range": [1, 2]})"), Error);
  EXPECT_THROW(make("Rand3DElastic", R"({"sigma_range": [1, 1e9], "magnitude_range": [1, 2]})"), Error);
  EXPECT_THROW(make("Rand3DElastic", R"({"sigma_range": [1, 2], "magnitude_range": [1, 2], "mode": 3})"), Error);
  EXPECT_THROW(make("Rand3DElastic", R"({"sigma_range": [1, 2], "magnitude_range": [1, 2], "prob": 2})"), Error);
  EXPECT_THROW(make("Rand2DElastic", R"({"spacing": [1, 2, 3], "magnitude_range": [1, 2]})"), Error);
  EXPECT_THROW(make("Rand2DElastic", R"({"spacing": 1e9, "magnitude_range": [1, 2]})"), Error);
  const auto tiny = make("Rand2DElastic", R"({"spacing": 1e-7, "magnitude_range": [1, 2], "prob": 1})");
  EXPECT_THROW(tiny->apply(formula({1, 5, 5}, false)), Error);
  const auto solid = make("Rand3DElastic", R"({"sigma_range": [1, 2], "magnitude_range": [1, 2], "prob": 1})");
  EXPECT_THROW(solid->apply(formula({1, 5, 5}, false)), Error);
}

}  // namespace
}  // namespace vesal::transforms
