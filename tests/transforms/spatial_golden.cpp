// Every spatial transform and its inverse against what MONAI gave for the same small images (data/make_spatial.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/registry.h"
#include "paths.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

using image::Affine;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

struct Golden {
  std::vector<Value> cases;
  std::vector<float> values;
};

const Golden& golden() {
  static const Golden g = [] {
    Golden made;
    made.cases = parse_json(slurp(tests::data("transforms/data/spatial.json"))).items();
    const std::string npy = slurp(tests::data("transforms/data/spatial.npy"));
    std::uint16_t header = 0;
    std::memcpy(&header, npy.data() + 8, 2);
    made.values.resize((npy.size() - 10 - header) / sizeof(float));
    std::memcpy(made.values.data(), npy.data() + 10 + header, made.values.size() * sizeof(float));
    return made;
  }();
  return g;
}

Array formula(const Shape& shape, bool background) {
  Array a = Array::empty(shape, DType::f32);
  float* p = a.data<float>();
  const std::int64_t nx = shape[1], ny = shape[2], nz = shape.size() > 3 ? shape[3] : 1;
  for (std::int64_t c = 0; c < shape[0]; ++c)
    for (std::int64_t x = 0; x < nx; ++x)
      for (std::int64_t y = 0; y < ny; ++y)
        for (std::int64_t z = 0; z < nz; ++z) {
          const bool outside = background && (x < 1 + c || x > 3 || y < 2 || y > 3 || z > 2);
          *p++ = outside ? -1.f : static_cast<float>((x * 7 + y * 13 + z * 29 + c * 31) * (x + 2 * y + 3 * z + 1) % 101);
        }
  return a;
}

Affine affine_of(const Value& rows) {
  Affine a;
  const auto& r = rows.items();
  const int n = static_cast<int>(r.size());
  for (int i = 0; i < n - 1; ++i)
    for (int j = 0; j < n; ++j) a(i, j == n - 1 ? 3 : j) = r[i].items()[j].as_float();
  return a;
}

/// Equal to the golden entry: values within 1e-4 of 0..100 (exactly for nearest), the affine within 1e-9.
void expect_same(const Array& got, const Affine* affine, const Dict& want, bool exact) {
  const Shape shape = cast<Shape>(want.at("shape"));
  ASSERT_EQ(got.shape(), shape);
  const Array flat = got.to(DType::f32).contiguous();
  const float* expected = golden().values.data() + want.at("offset").as_int();
  double worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) worst = std::max<double>(worst, std::fabs(flat.data<float>()[i] - expected[i]));
  EXPECT_LE(worst, exact ? 0 : 1e-4);
  if (affine) { EXPECT_LE(image::max_difference(*affine, affine_of(want.at("affine"))), 1e-9); }
}

class SpatialGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(SpatialGolden, AgreesWithMonai) {
  const Dict& c = golden().cases[GetParam()].as_dict();
  SCOPED_TRACE(to_json(golden().cases[GetParam()], -1).substr(0, 300));
  const std::string& name = c.at("transform").as_string();
  CallArgs args;
  for (const auto& [key, value] : c.at("args").as_dict()) args.named.emplace_back(key.as_string(), value);
  const auto transform = construct(components::get(name), args).object<Transform>();
  ASSERT_TRUE(transform);
  const Image in(formula(cast<Shape>(c.at("shape")), name == "CropForeground"), affine_of(c.at("affine")));
  const Image out = image::image_of(transform->apply(image::to_value(in)));
  const Value* mode = c.at("args").as_dict().find("mode");
  const bool exact = name != "Resize" && name != "Zoom" && (name != "Spacing" || (mode && *mode == Value("nearest")));
  expect_same(out.array(), &out.affine, c.at("out").as_dict(), exact);
  ASSERT_EQ(out.trail.size(), 1u);
  EXPECT_EQ(out.trail[0]->name(), name);
  EXPECT_EQ(out.trail[0]->input_affine(), in.affine);

  // MONAI's own output goes back, so that errors do not add up.
  const Dict& made = c.at("out").as_dict();
  const float* values = golden().values.data() + made.at("offset").as_int();
  const Shape shape = cast<Shape>(made.at("shape"));
  const auto source = image::source_of(Array::from(std::span(values, static_cast<std::size_t>(numel_of(shape))), shape));
  for (const bool nearest : {false, true}) {
    const Value* want = c.find(nearest ? "back_nearest" : "back");
    if (!want) continue;
    SCOPED_TRACE(nearest ? "inverse, nearest" : "inverse");
    const auto back = out.trail[0]->undo(source, nearest);
    expect_same(image::materialize(*back), nullptr, want->as_dict(), exact || nearest);
    EXPECT_LE(image::max_difference(out.trail[0]->input_affine(), affine_of(want->as_dict().at("affine"))), 2e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, SpatialGolden, testing::Range<std::size_t>(0, golden().cases.size()), [](const auto& info) {
  return golden().cases[info.param].as_dict().at("transform").as_string() + std::to_string(info.param);
});

}  // namespace
}  // namespace vesal::transforms
