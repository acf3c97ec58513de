// Crops around voxels drawn by their label.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/json.h"
#include "base/registry.h"
#include "transforms/compose.h"
#include "transforms/label_indices.h"

namespace vesal::transforms {
namespace {

std::shared_ptr<Transform> make(const std::string& name, const std::string& args) {
  CallArgs call;
  const Value parsed = parse_json(args);
  for (const auto& [key, value] : parsed.as_dict()) call.named.emplace_back(key.as_string(), value);
  const auto t = construct(components::get(name), call).object<Transform>();
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(2);
  return t;
}

/// A label with a small block, an image that holds each voxel's flat index.
Value item(const Shape& spatial) {
  Shape shape = spatial;
  shape.insert(shape.begin(), 1);
  Array label = Array::zeros(shape, DType::u8), image = Array::empty(shape, DType::f32);
  Array block = label;
  for (int axis = 1; axis < label.dim(); ++axis) block = block.slice(axis, 4, 7);
  block.fill(1);
  for (std::int64_t i = 0; i < image.numel(); ++i) image.data<float>()[i] = static_cast<float>(i);
  return Dict{{"image", image::to_value(Image(image))}, {"label", image::to_value(Image(label))}, {"name", "case"}};
}

class LabelCrop : public testing::TestWithParam<Shape> {};

TEST_P(LabelCrop, WindowsAreWholeAndKeysMatch) {
  const Shape shape = GetParam();
  const auto t = make("RandCropByPosNegLabeld",
                      R"({"keys": ["image", "label"], "label_key": "label", "spatial_size": 6, "num_samples": 5, "pos": 3, "neg": 1})");
  const Value in = item(shape);
  int positive = 0, total = 0;
  for (int round = 0; round < 200; ++round) {
    const Value out = t->apply(in);
    ASSERT_EQ(out.items().size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
      const Dict& sample = out.items()[i].as_dict();
      EXPECT_EQ(sample.at("name"), Value("case"));
      const Image image = image::image_of(sample.at("image")), label = image::image_of(sample.at("label"));
      for (int axis = 1; axis < image.array().dim(); ++axis) EXPECT_EQ(image.array().size(axis), 6);
      EXPECT_EQ(image.meta.at("patch_index"), Value(i));
      // The image says where the window is; the label must have been cut there, and its affine moved there.
      const Shape at = unravel(static_cast<std::int64_t>(image.array().at(Shape(image.array().dim(), 0))), shape);
      const Array whole = image::array_of(in.as_dict().at("label"));
      Shape inside(image.array().dim(), 3), outside{0};
      inside[0] = 0;
      for (const std::int64_t a : at) outside.push_back(a + 3);
      const double center = label.array().at(inside);
      EXPECT_EQ(center, whole.at(outside));
      for (std::size_t k = 0; k < at.size(); ++k) EXPECT_EQ(image.affine(static_cast<int>(k), 3), static_cast<double>(at[k]));
      positive += center == 1;
      ++total;
      EXPECT_EQ(image.trail.size(), 1u);
      EXPECT_EQ(image.trail[0]->input_shape(), shape);
    }
  }
  EXPECT_NEAR(positive, 0.75 * total, 0.06 * total);
}

INSTANTIATE_TEST_SUITE_P(Ranks, LabelCrop, testing::Values(Shape{20, 18}, Shape{14, 13, 12}));

TEST(LabelCropTest, BackgroundOnlyWhereTheImageIsAboveTheThreshold) {
  const Array label = Array::from<float>({0, 1, 0, 0, 2, 0}, {1, 6}), image = Array::from<float>({5, 0, 0, 3, 9, -1}, {1, 6});
  const auto [foreground, background] = foreground_background(label, &image, 0);
  ASSERT_EQ(foreground.numel(), 2);
  EXPECT_EQ(foreground.at({0}), 1);
  EXPECT_EQ(foreground.at({1}), 4);
  ASSERT_EQ(background.numel(), 2);
  EXPECT_EQ(background.at({0}), 0);
  EXPECT_EQ(background.at({1}), 3);
  EXPECT_EQ(foreground_background(label, nullptr, 0).second.numel(), 4);
}

TEST(LabelCropTest, OneHotLabelsGoWithoutTheirFirstChannel) {
  const Array label = Array::from<float>({1, 1, 0, 0, 0, 1}, {2, 3});
  const auto [foreground, background] = foreground_background(label, nullptr, 0);
  ASSERT_EQ(foreground.numel(), 1);
  EXPECT_EQ(foreground.at({0}), 2);
  EXPECT_EQ(background.numel(), 2);
  const auto classes = class_indices(label, std::nullopt, nullptr, 0, 0);
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0].numel(), 2);
}

TEST(LabelCropTest, RatiosOfClasses) {
  Array label = Array::zeros({1, 30, 30}, DType::u8);
  label.slice(1, 3, 5).fill(1);
  label.slice(1, 20, 21).slice(2, 0, 4).fill(2);
  const auto t = make("RandCropByLabelClassesd", R"({"keys": "label", "label_key": "label", "spatial_size": 1, "num_samples": 3000,
                                                     "num_classes": 4, "ratios": [1, 2, 1, 5], "warn": false})");
  const Value out = t->apply(Dict{{"label", label}});
  std::array<int, 4> counts{};
  for (const Value& sample : out.items()) ++counts[static_cast<std::size_t>(image::array_of(sample.as_dict().at("label")).at({0, 0, 0}))];
  EXPECT_NEAR(counts[0], 750, 90);
  EXPECT_NEAR(counts[1], 1500, 90);
  EXPECT_NEAR(counts[2], 750, 90);
  EXPECT_EQ(counts[3], 0);
}

TEST(LabelCropTest, ImagesSmallerThanTheCrop) {
  const std::string args = R"("keys": "image", "label_key": "label", "spatial_size": [8, 30])";
  EXPECT_THROW(make("RandCropByPosNegLabeld", "{" + args + "}")->apply(item({12, 12})), Error);
  const Value out = make("RandCropByPosNegLabeld", "{" + args + R"(, "allow_smaller": true})")->apply(item({12, 12}));
  EXPECT_EQ(image::image_of(out.items()[0].as_dict().at("image")).shape(), (Shape{1, 8, 12}));
  EXPECT_EQ(image::image_of(out.items()[0].as_dict().at("label")).shape(), (Shape{1, 12, 12}));
}

TEST(LabelCropTest, WithoutForegroundBackgroundIsDrawn) {
  const auto t = make("RandCropByPosNegLabeld", R"({"keys": "label", "label_key": "label", "spatial_size": 2, "pos": 1, "neg": 0})");
  EXPECT_EQ(t->apply(Dict{{"label", Array::zeros({1, 5, 5}, DType::u8)}}).items().size(), 1u);
}

TEST(LabelCropTest, NothingToDrawFromIsSaidSo) {
  const Array image = Array::full({1, 5, 5}, DType::f32, -1), empty = Array::zeros({1, 5, 5}, DType::u8);
  const Dict dark{{"image", image}, {"label", empty}};
  for (const char* transform : {"RandCropByPosNegLabeld", "RandCropByLabelClassesd"}) {
    const std::string classes = transform == std::string("RandCropByLabelClassesd") ? R"(, "num_classes": 2, "ratios": [0, 1])" : "";
    const auto t = make(transform, R"({"keys": ["image", "label"], "label_key": "label", "spatial_size": 2, "image_key": "image")" + classes + "}");
    try {
      t->apply(dark);
      ADD_FAILURE() << transform;
    } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find("there is no voxel to crop around"), std::string::npos) << e.what(); }
  }
  // A class that is not there is left out, as MONAI does.
  const auto t = make("RandCropByLabelClassesd", R"({"keys": "label", "label_key": "label", "spatial_size": 2, "num_classes": 3, "warn": false})");
  EXPECT_EQ(t->apply(Dict{{"label", empty}}).items().size(), 1u);
}

TEST(LabelCropTest, RefusesALabelOnAnotherGrid) {
  Image scan(Array::zeros({1, 8, 9}, DType::f32)), label(Array::zeros({1, 8, 8}, DType::u8));
  scan.meta["filename_or_obj"] = "/data/ct.nii.gz";
  label.meta["filename_or_obj"] = "/data/organs.nii.gz";
  const auto t = make("RandCropByPosNegLabeld", R"({"keys": ["image", "label"], "label_key": "label", "spatial_size": 2})");
  try {
    t->apply(Dict{{"image", image::to_value(scan)}, {"label", image::to_value(label)}});
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::geometry);
    EXPECT_NE(std::string(e.what()).find("'image' of ct.nii.gz is [8, 9], 'label' of organs.nii.gz is [8, 8]"), std::string::npos) << e.what();
  }
}

TEST(LabelCropTest, IndicesAreTakenOffTheItem) {
  const auto t = make("RandCropByPosNegLabeld", R"({"keys": "image", "label_key": "label", "spatial_size": 1, "num_samples": 40,
                                                    "fg_indices_key": "fg", "bg_indices_key": "bg"})");
  Dict with = item({10, 10}).as_dict();
  with["fg"] = Array::from<std::int64_t>({17}, {1});
  with["bg"] = Array::from<std::int64_t>({35}, {1});
  const Value out = t->apply(with);
  for (const Value& sample : out.items()) {
    EXPECT_FALSE(sample.as_dict().contains("fg"));
    const double v = image::array_of(sample.as_dict().at("image")).at({0, 0, 0});
    EXPECT_TRUE(v == 17 || v == 35);
  }
  with["bg"] = Array::from<std::int64_t>({100}, {1});
  EXPECT_THROW(for (int i = 0; i < 5; ++i) t->apply(with), Error);
}

TEST(LabelCropTest, SamplesGoOnThroughACompose) {
  const Value crop = make("RandCropByPosNegLabeld", R"({"keys": "image", "label_key": "label", "spatial_size": 4, "num_samples": 2})");
  const Value shift = make("RandShiftIntensityd", R"({"keys": "image", "offsets": 100, "prob": 1})");
  const Value out = Compose({crop, shift}).apply(item({10, 10}));
  ASSERT_EQ(out.items().size(), 2u);
  const auto fraction = [](const Value& sample) {
    const double v = image::array_of(sample.as_dict().at("image")).at({0, 0, 0});
    return v - std::floor(v);
  };
  EXPECT_NE(fraction(out.items()[0]), fraction(out.items()[1]));
}

TEST(LabelCropTest, ArrayFormTakesTheLabelWithTheCall) {
  const auto t = make("RandCropByPosNegLabel", R"({"spatial_size": 3, "num_samples": 2})");
  const Dict in = item({9, 9}).as_dict();
  EXPECT_EQ(t->call({{in.at("image")}, {{"label", in.at("label")}}}).items().size(), 2u);
  EXPECT_THROW(t->apply(in.at("image")), Error);
}

}  // namespace
}  // namespace vesal::transforms
