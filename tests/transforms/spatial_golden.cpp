// Every spatial transform and its inverse against what MONAI gave for the same small images (data/make_spatial.py).
#include "golden.h"

namespace vesal::transforms {
namespace {

using namespace tests;

const Golden& golden() {
  static const Golden g("spatial");
  return g;
}

class SpatialGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(SpatialGolden, AgreesWithMonai) {
  const Dict& c = golden().cases[GetParam()].as_dict();
  SCOPED_TRACE(to_json(golden().cases[GetParam()], -1).substr(0, 300));
  const std::string& name = c.at("transform").as_string();
  const auto transform = transform_of(c);
  ASSERT_TRUE(transform);
  const Image in(formula(cast<Shape>(c.at("shape")), name == "CropForeground"), affine_of(c.at("affine")));
  const Image out = image::image_of(transform->apply(image::to_value(in)));
  const Value* mode = c.at("args").as_dict().find("mode");
  const bool exact = name != "Resize" && name != "Zoom" && (name != "Spacing" || (mode && *mode == Value("nearest")));
  expect_same(golden(), out.array(), &out.affine, c.at("out").as_dict(), exact);
  ASSERT_EQ(out.trail.size(), 1u);
  EXPECT_EQ(out.trail[0]->name(), name);
  EXPECT_EQ(out.trail[0]->input_affine(), in.affine);

  // MONAI's own output goes back, so that errors do not add up.
  const auto source = image::source_of(golden().array(c.at("out").as_dict()));
  for (const bool nearest : {false, true}) {
    const Value* want = c.find(nearest ? "back_nearest" : "back");
    if (!want) continue;
    SCOPED_TRACE(nearest ? "inverse, nearest" : "inverse");
    const auto back = out.trail[0]->undo(source, nearest);
    expect_same(golden(), image::materialize(*back), nullptr, want->as_dict(), exact || nearest);
    EXPECT_LE(image::max_difference(out.trail[0]->input_affine(), affine_of(want->as_dict().at("affine"))), 2e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, SpatialGolden, testing::Range<std::size_t>(0, golden().cases.size()), [](const auto& info) {
  return golden().cases[info.param].as_dict().at("transform").as_string() + std::to_string(info.param);
});

}  // namespace
}  // namespace vesal::transforms
