// Labels stay bytes on their way through post-processing, axes come back, and senseless arguments are refused.
#include <gtest/gtest.h>

#include <cstring>

#include "base/json.h"
#include "base/registry.h"
#include "transforms/slabs.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

std::shared_ptr<Transform> made(const std::string& name, const std::string& args = "{}") {
  CallArgs call;
  const Value given = parse_json(args);
  for (const auto& [key, value] : given.as_dict()) call.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), call).object<Transform>();
}

Image logits() {
  Array a = Array::empty({3, 6, 5, 4}, DType::f32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>(i * 37 % 101);
  return Image(a, image::Affine::scale(1, 2, 3));
}

DType kept_as(const Value& v) {
  const auto stored = std::dynamic_pointer_cast<const StoredSource>(image::image_of(v).deferred());
  return stored ? stored->storage().dtype() : DType::f64;
}

TEST(PostProcessing, LabelsStayBytes) {
  Value v = made("AsDiscrete", R"({"argmax": true})")->apply(image::to_value(logits()));
  const std::pair<const char*, const char*> steps[] = {
      {"KeepLargestConnectedComponent", "{}"},
      {"FillHoles", "{}"},
      {"RemoveSmallObjects", R"({"min_size": 2})"},
      {"MapLabelValue", R"({"orig_labels": [1, 2], "target_labels": [2, 7]})"},
      {"LabelFilter", R"({"applied_labels": [7]})"},
      {"EnsureType", "{}"},
      {"SqueezeDim", "{}"},
  };
  for (const auto& [name, args] : steps) {
    v = made(name, args)->apply(v);
    EXPECT_EQ(kept_as(v), DType::u8) << name;
    EXPECT_EQ(image::image_of(v).dtype(), DType::f32) << name;
  }
  const Value parts = made("SplitDim", R"({"dim": 0})")->apply(made("AsDiscrete", R"({"threshold": 50})")->apply(image::to_value(logits())));
  ASSERT_EQ(parts.items().size(), 3u);
  for (const Value& part : parts.items()) EXPECT_EQ(kept_as(part), DType::u8);
  EXPECT_EQ(
      kept_as(
          made("KeepLargestConnectedComponent")->apply(made("AsDiscrete", R"({"argmax": true, "to_onehot": 3})")->apply(image::to_value(logits())))),
      DType::u8);
}

TEST(PostProcessing, LabelsThatAreNoBytesSurvive) {
  Array a = Array::zeros({1, 4, 4, 4}, DType::f32);
  a.slice(1, 0, 2).fill(700.5);
  a.slice(1, 3, 4).slice(2, 0, 1).fill(-2);
  const Image deferred = Image().with(std::make_shared<MappedSource>(image::source_of(a), 1, DType::f32, [](const Array& box) { return box; }));
  const Array out = image::array_of(made("LabelFilter", R"({"applied_labels": [700.5]})")->apply(image::to_value(deferred)));
  EXPECT_EQ(out.at({0, 0, 0, 0}), 700.5);
  EXPECT_EQ(out.at({0, 3, 0, 0}), 0);
}

TEST(Axes, ComeBackThroughInvert) {
  const Image in(logits().array().slice(1, 2, 3), image::Affine::scale(1, 2, 3));
  for (const auto& [name, args] : {std::pair{"SqueezeDim", R"({"dim": 1})"}, std::pair{"Transpose", R"({"indices": [0, 3, 1, 2]})"}}) {
    const Value out = made(name, args)->apply(image::to_value(in));
    const Image back = image::image_of(made("Invert")->apply(out));
    ASSERT_EQ(back.array().shape(), in.array().shape()) << name;
    EXPECT_EQ(std::memcmp(back.array().contiguous().raw(), in.array().contiguous().raw(), in.array().nbytes()), 0) << name;
    EXPECT_EQ(back.affine, in.affine) << name;
  }
  const Value part = made("SplitDim", R"({"dim": 3})")->apply(image::to_value(in)).items()[2];
  const Image back = image::image_of(made("Invert")->apply(part));
  ASSERT_EQ(back.array().shape(), in.array().shape());
  EXPECT_EQ(back.array().at({1, 0, 3, 2}), in.array().at({1, 0, 3, 2}));
  EXPECT_EQ(back.array().at({1, 0, 3, 1}), 0);
}

TEST(Refusals, NameWhatIsWrong) {
  const Value image = image::to_value(logits());
  const auto refused = [&](const char* name, const char* args, const char* says) {
    try {
      made(name, args)->apply(image);
      ADD_FAILURE() << name << " " << args << " was accepted";
    } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what(); }
  };
  refused("ScaleIntensityRangePercentiles", R"({"lower": -1, "upper": 99, "b_min": 0, "b_max": 1})", "lower");
  refused("ScaleIntensityRangePercentiles", R"({"lower": 1, "upper": 99, "b_min": null, "b_max": 1, "relative": true})", "relative");
  refused("NormalizeIntensity", R"({"subtrahend": [1, 2], "channel_wise": true})", "3 channels");
  refused("NormalizeIntensity", R"({"subtrahend": [1, 2]})", "channel_wise");
  refused("GaussianSmooth", R"({"sigma": [1, 2]})", "3 spatial axes");
  refused("GaussianSmooth", R"({"approx": "box"})", "box");
  refused("MedianSmooth", R"({"radius": 1000})", "1000");
  refused("KeepLargestConnectedComponent", R"({"is_onehot": false})", "one channel");
  refused("KeepLargestConnectedComponent", R"({"applied_labels": [5]})", "5");
  refused("KeepLargestConnectedComponent", R"({"connectivity": 4})", "connectivity");
  refused("MapLabelValue", R"({"orig_labels": [1], "target_labels": [1, 2]})", "2 target_labels");
  refused("SqueezeDim", R"({"dim": 0})", "extent 1");
  refused("SqueezeDim", R"({"dim": 9})", "9");
  refused("Transpose", R"({"indices": [0, 1, 1, 2]})", "once");
  refused("RepeatChannel", R"({"repeats": 0})", "positive");
  refused("CopyItemsd", R"({"keys": "image", "times": 2, "names": "a"})", "names");
}

}  // namespace
}  // namespace vesal::transforms
