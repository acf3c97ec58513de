// What random transforms draw: bounds, probabilities, draws shared by the keys of an item and by nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/registry.h"
#include "transforms/compose.h"

namespace vesal::transforms {
namespace {

std::shared_ptr<Transform> make(const std::string& name, const std::string& args = "{}") {
  CallArgs call;
  const Value parsed = parse_json(args);
  for (const auto& [key, value] : parsed.as_dict()) call.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), call).object<Transform>();
}

Array ramp(const Shape& shape) {
  Array a = Array::empty(shape, DType::f32);
  std::iota(a.data<float>(), a.data<float>() + a.numel(), 0.f);
  return a;
}

Image image(const Shape& shape) { return Image(ramp(shape)); }
Value item(const Shape& shape) { return Dict{{"image", image::to_value(image(shape))}, {"label", image::to_value(image(shape))}}; }
Array voxels(const Value& v, const char* key = nullptr) { return image::array_of(key ? v.as_dict().at(key) : v).contiguous(); }
bool same(const Array& a, const Array& b) { return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.nbytes()) == 0; }

struct Case {
  const char* name;
  const char* args;    ///< all but prob
  bool varies = true;  ///< two draws can differ
};
const Case kChanging[] = {
    {"RandAffine", R"("rotate_range": [0.3, 0.2, 0.1], "padding_mode": "zeros")"},
    {"Rand3DElastic", R"("sigma_range": [0.5, 1], "magnitude_range": [2, 3])"},
    {"RandShiftIntensity", R"("offsets": 5)"},
    {"RandScaleIntensity", R"("factors": 0.5)"},
    {"RandAdjustContrast", R"("gamma": [0.5, 0.9])"},
    {"RandGaussianNoise", R"("std": 2, "sample_std": false)"},
    {"RandStdShiftIntensity", R"("factors": 0.4)"},
    {"RandScaleIntensityFixedMean", R"("factors": 0.4)"},
    {"RandHistogramShift", R"("num_control_points": [5, 9])"},
    {"RandBiasField", R"("coeff_range": [0.1, 0.4])"},
    {"RandGaussianSmooth", R"("sigma_x": [0.6, 2])"},
    {"RandFlip", R"("spatial_axis": [0, 2])", false},
    {"RandAxisFlip", R"("lazy": false)"},
    {"RandRotate90", R"("max_k": 3)"},
    {"RandRotate", R"("range_x": 0.5, "range_y": [0.1, 0.4])"},
    {"RandZoom", R"("min_zoom": 1.5, "max_zoom": 2.4, "mode": "nearest")"},
};

std::string with_prob(const Case& c, const std::string& prob, bool dictionary = false) {
  return std::string("{") + c.args + R"(, "prob": )" + prob + (dictionary ? R"(, "keys": ["image", "label"]})" : "}");
}

class RandomTransforms : public testing::TestWithParam<Case> {};

TEST_P(RandomTransforms, ChangesAsOftenAsAsked) {
  const Case& c = GetParam();
  const auto never = make(c.name, with_prob(c, "0")), always = make(c.name, with_prob(c, "1")), often = make(c.name, with_prob(c, "0.7"));
  std::dynamic_pointer_cast<Randomizable>(often)->set_seed(11);
  const Image in = image({1, 5, 4, 3});
  int changed = 0;
  for (int i = 0; i < 400; ++i) {
    if (i < 20) {
      EXPECT_TRUE(same(voxels(never->apply(image::to_value(in))), in.array()));
      EXPECT_FALSE(same(voxels(always->apply(image::to_value(in))), in.array()));
    }
    changed += !same(voxels(often->apply(image::to_value(in))), in.array());
  }
  EXPECT_NEAR(changed, 280, 45);
}

TEST_P(RandomTransforms, LeavesItsInputAlone) {
  const Case& c = GetParam();
  const Image in = image({1, 5, 4, 3});
  make(c.name, with_prob(c, "1"))->apply(image::to_value(in));
  EXPECT_TRUE(same(in.array(), ramp({1, 5, 4, 3})));
}

TEST_P(RandomTransforms, KeysShareTheDrawItemsDoNot) {
  const Case& c = GetParam();
  const auto t = make(std::string(c.name) + "d", with_prob(c, "1", true));
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(8);
  std::vector<Array> images;
  for (int i = 0; i < 10; ++i) {
    const Value out = t->apply(item({1, 5, 4, 3}));
    images.push_back(voxels(out, "image"));
    EXPECT_TRUE(same(images.back(), voxels(out, "label")));
  }
  EXPECT_EQ(std::all_of(images.begin(), images.end(), [&](const Array& a) { return same(a, images[0]); }), !c.varies);
}

TEST_P(RandomTransforms, SeedsRepeatFromAnyThread) {
  const Case& c = GetParam();
  const auto t = make(std::string(c.name) + "d", with_prob(c, "1", true));
  const auto run = [&](std::uint64_t seed) {
    const RandomScope scope(seed);
    std::vector<Array> out;
    for (int i = 0; i < 10; ++i) out.push_back(voxels(t->apply(item({1, 5, 4, 3})), "image"));
    return out;
  };
  const auto want = run(3);
  std::vector<std::vector<Array>> got(4);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < got.size(); ++k) threads.emplace_back([&, k] { got[k] = run(k == 3 ? 4 : 3); });
  for (auto& thread : threads) thread.join();
  bool other = false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    for (int k = 0; k < 3; ++k) EXPECT_TRUE(same(got[k][i], want[i]));
    other = other || !same(got[3][i], want[i]);
  }
  EXPECT_EQ(other, c.varies);
}

INSTANTIATE_TEST_SUITE_P(All, RandomTransforms, testing::ValuesIn(kChanging), [](const auto& info) { return std::string(info.param.name); });

/// The values one draw leaves of a single voxel, many times over.
std::vector<double> draws(const std::string& name, const std::string& args, double value, int count = 2000) {
  const auto t = make(name, args);
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(5);
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(voxels(t->apply(image::to_value(Image(Array::full({1, 1}, DType::f32, value))))).item());
  return out;
}

void expect_uniform(const std::vector<double>& drawn, double low, double high) {
  double mean = 0;
  for (const double d : drawn) {
    EXPECT_GE(d, low - 1e-5);
    EXPECT_LE(d, high + 1e-5);
    mean += d / static_cast<double>(drawn.size());
  }
  EXPECT_NEAR(mean, (low + high) / 2, (high - low) * 0.03);
  EXPECT_LT(*std::min_element(drawn.begin(), drawn.end()), low + 0.02 * (high - low));
  EXPECT_GT(*std::max_element(drawn.begin(), drawn.end()), high - 0.02 * (high - low));
}

TEST(RandomIntensity, DrawsUniformlyFromItsRange) {
  expect_uniform(draws("RandShiftIntensity", R"({"offsets": 3, "prob": 1})", 10), 7, 13);
  expect_uniform(draws("RandShiftIntensity", R"({"offsets": [4, 2], "prob": 1})", 10), 12, 14);
  expect_uniform(draws("RandScaleIntensity", R"({"factors": [-0.1, 0.3], "prob": 1})", 10), 9, 13);
}

TEST(RandomIntensity, ChannelsOnTheirOwn) {
  const Array ones = Array::full({3, 4}, DType::f32, 1);
  for (const bool own : {false, true}) {
    const auto t = make("RandShiftIntensity", std::string(R"({"offsets": 3, "prob": 1, "channel_wise": )") + (own ? "true}" : "false}"));
    const Array out = voxels(t->apply(ones));
    EXPECT_EQ(out.at({0, 0}), out.at({0, 3}));
    EXPECT_EQ(out.at({0, 0}) == out.at({1, 0}), !own);
  }
}

TEST(RandomIntensity, SafeShiftsStayWithinTheType) {
  const Array in = Array::from<std::uint8_t>({0, 3, 250}, {1, 3});
  const Array up = voxels(make("ShiftIntensity", R"({"offset": 10, "safe": true})")->apply(in));
  EXPECT_EQ(up.dtype(), DType::u8);
  EXPECT_EQ(up.at({0, 2}), 255);
  EXPECT_EQ(voxels(make("ShiftIntensity", R"({"offset": -10, "safe": true})")->apply(in)).at({0, 1}), 0);
  EXPECT_EQ(voxels(make("ShiftIntensity", R"({"offset": 10})")->apply(in)).at({0, 2}), 4);
}

TEST(RandomIntensity, OffsetsFromMetadataAreRefused) {
  EXPECT_TRUE(make("RandShiftIntensityd", R"({"keys": "image", "offsets": 1, "factor_key": null, "meta_keys": null})"));
  for (const char* name : {"RandShiftIntensityd", "ShiftIntensityd"}) {
    const std::string offset = *name == 'R' ? "offsets" : "offset";
    EXPECT_THROW(make(name, R"({"keys": "image", "factor_key": "max", ")" + offset + R"(": 1})"), Error);
  }
}

TEST(RandomIntensity, HistogramShiftsKeepOrderAndEnds) {
  const auto t = make("RandHistogramShift", R"({"prob": 1, "num_control_points": 6})");
  for (int i = 0; i < 50; ++i) {
    const Array out = voxels(t->apply(ramp({1, 101})));
    EXPECT_EQ(out.at({0, 0}), 0);
    EXPECT_NEAR(out.at({0, 100}), 100, 1e-4);
    for (std::int64_t k = 1; k < 101; ++k) EXPECT_GE(out.at({0, k}), out.at({0, k - 1}));
    // Straight between the control points.
    EXPECT_NEAR(out.at({0, 30}), (out.at({0, 20}) + out.at({0, 40})) / 2, 1e-3);
  }
  EXPECT_EQ(voxels(t->apply(Array::full({1, 4}, DType::f32, 3))).at({0, 2}), 3);
}

TEST(RandomIntensity, NoiseIsNormal) {
  const auto t = make("RandGaussianNoise", R"({"prob": 1, "mean": 2, "std": 3, "sample_std": false})");
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(1);
  const Array out = voxels(t->apply(Array::zeros({1, 50, 50, 40}, DType::f32)));
  const double n = static_cast<double>(out.numel());
  double mean = 0, square = 0, fourth = 0, neighbours = 0;
  const float* p = out.data<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) mean += p[i] / n;
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    const double d = p[i] - mean;
    square += d * d / n, fourth += d * d * d * d / n;
    if (i > 0) neighbours += d * (p[i - 1] - mean) / n;
  }
  EXPECT_NEAR(mean, 2, 0.05);
  EXPECT_NEAR(std::sqrt(square), 3, 0.05);
  EXPECT_NEAR(fourth / (square * square), 3, 0.15);
  EXPECT_NEAR(neighbours / square, 0, 0.02);
}

TEST(RandomAffine, LabelsStayLabels) {
  Array label = Array::zeros({1, 20, 18, 16}, DType::u8);
  Array part = label.slice(1, 5, 12).slice(2, 4, 11);
  part.fill(7);
  const auto t = make("RandAffined", R"({"keys": ["image", "label"], "prob": 1, "rotate_range": 0.5, "scale_range": [0.2, 0.2, 0.2],
                                         "mode": ["bilinear", "nearest"], "padding_mode": "border"})");
  const Value out = t->apply(Dict{{"image", label}, {"label", label}});
  const Array labels = voxels(out, "label"), smooth = voxels(out, "image");
  bool between = false;
  for (std::int64_t i = 0; i < labels.numel(); ++i) {
    EXPECT_TRUE(labels.data<float>()[i] == 0 || labels.data<float>()[i] == 7);
    between = between || (smooth.data<float>()[i] > 1 && smooth.data<float>()[i] < 6);
  }
  EXPECT_TRUE(between);
}

/// How often each of the possible results of turning or flipping [0, 1; 2, 3] came, told by its first two voxels.
std::map<std::pair<int, int>, int> outcomes(const std::string& name, const std::string& args) {
  const auto t = make(name, args);
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(3);
  std::map<std::pair<int, int>, int> count;
  for (int i = 0; i < 900; ++i) {
    const Array out = voxels(t->apply(ramp({1, 2, 2})));
    ++count[{static_cast<int>(out.at({0, 0, 0})), static_cast<int>(out.at({0, 0, 1}))}];
  }
  return count;
}

TEST(RandomTurns, AllOfThemAlike) {
  const auto turns = outcomes("RandRotate90", R"({"prob": 1})");
  ASSERT_EQ(turns.size(), 3u);
  for (const auto& [result, count] : turns) EXPECT_NEAR(count, 300, 60);
  EXPECT_EQ(outcomes("RandRotate90", R"({"prob": 1, "max_k": 1})").size(), 1u);
  const auto flips = outcomes("RandAxisFlip", R"({"prob": 1})");
  ASSERT_EQ(flips.size(), 2u);
  for (const auto& [result, count] : flips) EXPECT_NEAR(count, 450, 70);
}

TEST(RandomTurns, OneOfAndRandomOrder) {
  const auto add = [](int n) { return make("ShiftIntensity", R"({"offset": )" + std::to_string(n) + "}"); };
  const auto scale = make("RandScaleIntensity", R"({"factors": [1, 1], "prob": 1})");
  const auto construct_with = [](const char* name, std::vector<Value> transforms, std::vector<Value> weights) {
    CallArgs args;
    args.named = {{"transforms", List{std::move(transforms)}}};
    if (!weights.empty()) args.named.emplace_back("weights", List{std::move(weights)});
    return construct(components::get(name), args).object<Transform>();
  };
  const auto run = [](const Transform& t) { return static_cast<int>(voxels(t.apply(Array::full({1, 1}, DType::f32, 1))).item()); };
  const auto one = construct_with("OneOf", {add(1), add(2), add(3)}, {2, 1, 0});
  std::dynamic_pointer_cast<Randomizable>(one)->set_seed(1);
  std::map<int, int> count;
  for (int i = 0; i < 900; ++i) ++count[run(*one)];
  ASSERT_EQ(count.size(), 2u);
  EXPECT_NEAR(count[2], 600, 60);
  const auto order = construct_with("RandomOrder", {add(1), scale}, {});
  std::dynamic_pointer_cast<Randomizable>(order)->set_seed(1);
  count.clear();
  for (int i = 0; i < 600; ++i) ++count[run(*order)];
  EXPECT_NEAR(count[3], 300, 60);  // 1 * 2 + 1
  EXPECT_NEAR(count[4], 300, 60);  // (1 + 1) * 2
  EXPECT_THROW(construct_with("OneOf", {add(1)}, {1, 2}), Error);
}

TEST(RandomCrops, WindowsAreWholeAndEverywhere) {
  for (const char* random_size : {"false", "true"}) {
    const auto t = make("RandSpatialCrop", std::string(R"({"roi_size": [3, 2], "max_roi_size": [4, 9], "random_size": )") + random_size + "}");
    std::dynamic_pointer_cast<Randomizable>(t)->set_seed(4);
    std::map<std::pair<int, Shape>, int> seen;
    for (int i = 0; i < 3000; ++i) {
      const Image out = image::image_of(t->apply(image::to_value(image({1, 5, 6}))));
      const int first = static_cast<int>(out.array().at({0, 0, 0}));
      EXPECT_EQ(out.affine(0, 3), first / 6);
      EXPECT_EQ(out.affine(1, 3), first % 6);
      ++seen[{first, out.shape()}];
    }
    // Fixed: 3 x 5 places. Random: sizes 3 to 4 and 2 to 6 (the image ends at 6), each at every place.
    EXPECT_EQ(seen.size(), *random_size == 'f' ? 15u : (3u + 2u) * (5u + 4u + 3u + 2u + 1u));
  }
  EXPECT_THROW(make("RandSpatialCrop", R"({"roi_size": 4, "max_roi_size": 3, "random_size": true})")->apply(image::to_value(image({1, 5, 6}))),
               Error);
}

TEST(RandomCrops, SamplesOfAnItem) {
  const auto t = make("RandSpatialCropSamplesd", R"({"keys": ["image", "label"], "roi_size": [2, 3, 2], "num_samples": 6})");
  std::dynamic_pointer_cast<Randomizable>(t)->set_seed(4);
  const Value out = t->apply(item({1, 9, 8, 7}));
  ASSERT_EQ(out.items().size(), 6u);
  std::set<double> places;
  for (std::size_t i = 0; i < 6; ++i) {
    const Value& sample = out.items()[i];
    EXPECT_EQ(voxels(sample, "image").shape(), (Shape{1, 2, 3, 2}));
    EXPECT_TRUE(same(voxels(sample, "image"), voxels(sample, "label")));
    EXPECT_EQ(image::image_of(sample.as_dict().at("image")).meta.at("patch_index"), Value(i));
    places.insert(voxels(sample, "image").at({0, 0, 0, 0}));
  }
  EXPECT_GT(places.size(), 3u);
}

TEST(RandomCrops, IndicesFoundBeforehandAreTheSame) {
  Array label = Array::zeros({1, 6, 5}, DType::f32);
  label.slice(1, 1, 3).slice(2, 2, 4).fill(2);
  const Value item = Dict{{"label", label}, {"image", ramp({1, 6, 5})}};
  const Value binary = make("FgBgToIndicesd", R"({"keys": "label", "image_key": "image", "image_threshold": 20})")->apply(item);
  EXPECT_EQ(voxels(binary, "label_fg_indices").numel(), 4);
  EXPECT_EQ(voxels(binary, "label_fg_indices").at({0}), 7);
  EXPECT_EQ(voxels(binary, "label_bg_indices").numel(), 9);
  const Value classes = make("ClassesToIndicesd", R"({"keys": "label", "num_classes": 3, "max_samples_per_class": 5})")->apply(item);
  const auto& sets = classes.as_dict().at("label_cls_indices").items();
  ASSERT_EQ(sets.size(), 3u);
  EXPECT_EQ(image::array_of(sets[0]).numel(), 5);
  EXPECT_EQ(image::array_of(sets[0]).at({4}), 29);
  EXPECT_EQ(image::array_of(sets[1]).numel(), 0);
  EXPECT_EQ(image::array_of(sets[2]).numel(), 4);
  const Value places = make("FgBgToIndices", R"({"output_shape": [6, 5]})")->apply(label).items()[0];
  EXPECT_EQ(image::array_of(places).shape(), (Shape{4, 2}));
  EXPECT_EQ(image::array_of(places).at({3, 1}), 3);
}

TEST(RandomInverse, InvertdTakesAPipelineBack) {
  const Value pipeline = std::make_shared<Compose>(std::vector<Value>{
      make("RandFlipd", R"({"keys": "image", "prob": 1, "spatial_axis": 1})"),
      make("RandRotate90d", R"({"keys": "image", "prob": 1, "spatial_axes": [0, 2]})"),
      make("RandAxisFlipd", R"({"keys": "image", "prob": 0.5})"),
      make("RandSpatialCropd", R"({"keys": "image", "roi_size": [3, 4, 3]})"),
  });
  CallArgs args;
  args.named = {{"keys", "image"}, {"transform", pipeline}};
  const auto invert = construct(components::get("Invertd"), args).object<Transform>();
  for (int i = 0; i < 20; ++i) {
    const Value back = invert->apply(pipeline.object<Transform>()->apply(item({1, 5, 6, 4})));
    const Image got = image::image_of(back.as_dict().at("image"));
    const Array in = ramp({1, 5, 6, 4}), out = got.array().contiguous();
    ASSERT_EQ(out.shape(), in.shape());
    EXPECT_EQ(got.affine, image::Affine());
    int kept = 0;
    for (std::int64_t k = 0; k < in.numel(); ++k) {
      const float v = out.data<float>()[k];
      EXPECT_TRUE(v == 0 || v == in.data<float>()[k]);
      kept += v != 0;
    }
    EXPECT_GE(kept, 3 * 4 * 3 - 1);
  }
}

TEST(RandomAffine, BadRangesAreRefused) {
  EXPECT_THROW(make("RandAffine", R"({"rotate_range": [[0.1, 0.2, 0.3]]})"), Error);
  EXPECT_THROW(make("RandAffine", R"({"mode": 3})"), Error);
  EXPECT_THROW(make("RandAffine", R"({"prob": 1.5})"), Error);
  EXPECT_THROW(make("RandShiftIntensity", R"({"offsets": [1, 2, 3]})"), Error);
  EXPECT_THROW(make("RandAdjustContrast", R"({"gamma": 0.4})"), Error);
}

// What the model zoo's training configurations pass, where it is more than the usual.
TEST(RandomArguments, OfTheModelZooAreTaken) {
  const std::pair<const char*, const char*> zoo[] = {
      {"Rand3DElasticd", R"("magnitude_range": [0.5, 1.5], "rotate_range": 5, "shear_range": 0.5, "sigma_range": [0.5, 1.5], "translate_range": 25)"},
      {"RandAffined", R"("rotate_range": 5, "shear_range": 0.5, "translate_range": 25)"},
      {"RandZoomd", R"("max": 1.1, "min": 0.9)"},
      {"RandZoomd", R"("min_zoom": 0.8, "max_zoom": 1.2, "mode": ["trilinear", "nearest"], "align_corners": [true, null])"},
      {"RandBiasFieldd", R"("coeff_range": [0.0, 0.01], "degree": 10)"},
      {"RandRotated",
       R"("range_x": 0.5, "range_y": 0.5, "range_z": 0.5, "mode": ["nearest", "nearest"], "keep_size": true, "padding_mode": "zeros")"},
      {"RandRotate90d", R"("max_k": 3, "spatial_axes": [-2, -1], "allow_missing_keys": false)"},
  };
  for (const auto& [name, args] : zoo) {
    SCOPED_TRACE(name);
    const auto t = make(name, std::string(R"({"keys": ["image", "label"], "prob": 1, )") + args + "}");
    EXPECT_EQ(voxels(t->apply(item({1, 6, 6, 6})), "label").shape(), (Shape{1, 6, 6, 6}));
  }
  EXPECT_TRUE(make("RandCropByLabelClassesd", R"({"keys": "image", "label_key": "label", "num_classes": 4, "ratios": null, "spatial_size": [4, 4, 4],
                                                  "num_samples": 8, "allow_smaller": true, "indices_key": "indices", "warn": false})"));
}

}  // namespace
}  // namespace vesal::transforms
