// Random transforms and their fixed forms against MONAI's results where nothing is left to chance (data/make_random.py).
#include "golden.h"

namespace vesal::transforms {
namespace {

using namespace tests;

const Golden& golden() {
  static const Golden g("random");
  return g;
}

class RandomGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(RandomGolden, AgreesWithMonai) {
  const Dict& c = golden().cases[GetParam()].as_dict();
  SCOPED_TRACE(to_json(golden().cases[GetParam()], -1).substr(0, 300));
  const auto transform = transform_of(c);
  ASSERT_TRUE(transform);
  const Dict& args = c.at("args").as_dict();
  const Value* mode = args.find("mode");
  const bool exact = mode && *mode == Value("nearest");
  const Image in(formula(cast<Shape>(c.at("shape")), false), affine_of(c.at("affine")));
  const Image out = image::image_of(transform->apply(image::to_value(in)));
  EXPECT_EQ(out.dtype(), DType::f32);
  const Dict& want = c.at("out").as_dict();
  expect_same(golden(), out.array(), nullptr, want, exact);
  EXPECT_LE(image::max_difference(out.affine, affine_of(want.at("affine"))), 1e-5);  // MONAI's angles are floats
  if (!c.contains("back")) return;

  for (const bool nearest : {false, true}) {
    SCOPED_TRACE(nearest ? "inverse, nearest" : "inverse");
    const Dict& back = c.at(nearest ? "back_nearest" : "back").as_dict();
    Array got = golden().array(want);
    if (out.trail.size() == 1) got = image::materialize(*out.trail[0]->undo(image::source_of(got), nearest));
    // MONAI takes Affine back by nearest voxel on a grid that is a little too wide: it reads align_corners = "none" as true.
    if (!nearest || c.at("transform") != Value("Affine")) expect_same(golden(), got, nullptr, back, exact || nearest);
    const Affine affine = out.trail.empty() ? out.affine : out.trail[0]->input_affine();
    EXPECT_LE(image::max_difference(affine, affine_of(back.at("affine"))), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RandomGolden, testing::Range<std::size_t>(0, golden().cases.size()), [](const auto& info) {
  return golden().cases[info.param].as_dict().at("transform").as_string() + std::to_string(info.param);
});

}  // namespace
}  // namespace vesal::transforms
