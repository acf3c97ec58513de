// The spleen bundle's preprocessing of a real scan, and the way back, against MONAI's (data/make_spleen.py).
#include "golden.h"
#include "transforms/compose.h"

namespace vesal::transforms {
namespace {

using namespace tests;

Value made(const char* name, const std::string& args) {
  CallArgs call;
  const Value given = parse_json(args);
  for (const auto& [key, value] : given.as_dict()) call.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), call);
}

/// Values within `tolerance`, all but `strays` of those looked at; sums within what that allows.
void expect_described(const Image& got, const Dict& want, double tolerance, int strays) {
  const Shape shape = cast<Shape>(want.at("shape"));
  ASSERT_EQ(got.shape(), shape);
  EXPECT_LE(image::max_difference(got.affine, affine_of(want.at("affine"))), 1e-5);
  const Array flat = got.array().to(DType::f64).contiguous();
  const double* p = flat.data<double>();
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) sum += p[i], squares += p[i] * p[i];
  EXPECT_NEAR(sum, want.at("sum").as_float(), 1e-6 * squares + 1e-6 * std::fabs(sum));
  EXPECT_NEAR(squares, want.at("squares").as_float(), 1e-6 * squares);
  const auto& values = want.at("values").items();
  const std::int64_t every = want.at("every").as_int();
  int wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) wrong += !(std::fabs(p[static_cast<std::int64_t>(i) * every] - values[i].as_float()) <= tolerance);
  EXPECT_LE(wrong, strays) << "of " << values.size();
}

TEST(SpleenGolden, PreprocessingAndInverseAgreeWithMonai) {
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  const Dict want = parse_json(slurp(vesal::tests::data("transforms/data/spleen.json"))).as_dict();
  const std::string both = R"("keys": ["image", "label"])";
  const Value pre = std::make_shared<Compose>(std::vector<Value>{
      made("LoadImaged", "{" + both + "}"),
      made("EnsureChannelFirstd", "{" + both + "}"),
      made("Orientationd", "{" + both + R"(, "axcodes": "RAS"})"),
      made("Spacingd", "{" + both + R"(, "pixdim": [1.5, 1.5, 2.0], "mode": ["bilinear", "nearest"]})"),
      made("ScaleIntensityRanged", R"({"keys": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": true})"),
      made("EnsureTyped", "{" + both + "}"),
  });
  const Dict paths{{"image", vesal::tests::shared("ct_3mm/ct.nii.gz").string()}, {"label", vesal::tests::shared("ct_3mm/organs.nii.gz").string()}};
  Dict item = call_value(pre, {{Value(paths)}, {}}).as_dict();
  expect_described(image::image_of(item.at("image")), want.at("image").as_dict(), 1e-4, 0);
  expect_described(image::image_of(item.at("label")), want.at("label").as_dict(), 0, 0);

  item["pred"] = Value(item.at("image"));
  CallArgs back;
  back.named = {{"keys", "pred"}, {"transform", pre}, {"orig_keys", "image"}, {"nearest_interp", false}};
  const Value inverse = construct(components::get("Invertd"), back);
  item = call_value(inverse, {{Value(item)}, {}}).as_dict();
  expect_described(image::image_of(item.at("pred")), want.at("pred").as_dict(), 1e-4, 0);
}

}  // namespace
}  // namespace vesal::transforms
