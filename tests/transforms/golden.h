// Results of MONAI as the make_*.py beside them wrote them: NAME.json says what was done, NAME.npy holds the values.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/registry.h"
#include "paths.h"
#include "transforms/transform.h"

namespace vesal::transforms::tests {

using image::Affine;

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

struct Golden {
  std::vector<Value> cases;
  std::vector<float> values;

  explicit Golden(const std::string& name) : cases(parse_json(slurp(vesal::tests::data("transforms/data/" + name + ".json"))).items()) {
    const std::string npy = slurp(vesal::tests::data("transforms/data/" + name + ".npy"));
    std::uint16_t header = 0;
    std::memcpy(&header, npy.data() + 8, 2);
    values.resize((npy.size() - 10 - header) / sizeof(float));
    std::memcpy(values.data(), npy.data() + 10 + header, values.size() * sizeof(float));
  }
  /// The array of one entry {"shape", "offset"}.
  Array array(const Dict& entry) const {
    const Shape shape = cast<Shape>(entry.at("shape"));
    return Array::from(std::span(values.data() + entry.at("offset").as_int(), static_cast<std::size_t>(numel_of(shape))), shape);
  }
};

/// The transform of a case {"transform", "args"}.
inline std::shared_ptr<Transform> transform_of(const Dict& c) {
  CallArgs args;
  for (const auto& [key, value] : c.at("args").as_dict()) args.named.emplace_back(key.as_string(), value);
  return construct(components::get(c.at("transform").as_string()), args).object<Transform>();
}

inline Array formula(const Shape& shape, bool background) {
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

inline Affine affine_of(const Value& rows) {
  Affine a;
  const auto& r = rows.items();
  const int n = static_cast<int>(r.size());
  for (int i = 0; i < n - 1; ++i)
    for (int j = 0; j < n; ++j) a(i, j == n - 1 ? 3 : j) = r[i].items()[j].as_float();
  return a;
}

/// Equal to the golden entry: values within 1e-4 of 0..100 (exactly for nearest), the affine within 1e-9.
inline void expect_same(const Golden& golden, const Array& got, const Affine* affine, const Dict& want, bool exact) {
  const Shape shape = cast<Shape>(want.at("shape"));
  ASSERT_EQ(got.shape(), shape);
  const Array flat = got.to(DType::f32).contiguous();
  const Array all = golden.array(want);
  const float* expected = all.data<float>();
  double worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) worst = std::max<double>(worst, std::fabs(flat.data<float>()[i] - expected[i]));
  EXPECT_LE(worst, exact ? 0 : 1e-4);
  if (affine) { EXPECT_LE(image::max_difference(*affine, affine_of(want.at("affine"))), 1e-9); }
}

}  // namespace vesal::transforms::tests
