// components and components call, with the real program.
#include <gmock/gmock.h>

#include <cmath>

#include "base/json.h"
#include "cli/program.h"
#include "image/npy.h"
#include "paths.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;

class Components : public testing::Test {
 protected:
  std::string saved(const char* name, const Array& array) {
    image::write_npy(folder_ / name, array);
    return (folder_ / name).string();
  }
  TempDir folder_;
};

TEST_F(Components, AreListedByKind) {
  const ProgramResult r = run_program({"components"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  for (const char* name : {"network\n", "  UNet ", "loss\n", "  DiceCELoss ", "metric\n", "transform\n", "  Spacingd ", "inferer\n"})
    EXPECT_THAT(r.out, HasSubstr(name));
}

TEST_F(Components, AreDescribedWithTheirArguments) {
  const ProgramResult r = run_program({"components", "monai.transforms.Spacingd"});
  EXPECT_THAT(r.out, HasSubstr("pixdim"));
  EXPECT_THAT(r.out, HasSubstr("mode='bilinear'"));
  const Value json = parse_json(run_program({"--json", "components", "UNet"}).out);
  EXPECT_EQ(json.as_dict().at("kind"), Value("network"));
  EXPECT_EQ(json.as_dict().at("arguments").items().at(0).as_dict().at("name"), Value("spatial_dims"));
  EXPECT_EQ(json.as_dict().at("arguments").items().at(0).as_dict().at("required"), Value(true));
  const ProgramResult unknown = run_program({"components", "UNetz"});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean UNet"));
}

TEST_F(Components, ALossGivesItsValue) {
  const std::string logits = saved("logits.npy", Array::from({2.0F, -1.0F, -2.0F, 1.0F}, {1, 2, 2}));
  const std::string labels = saved("labels.npy", Array::from({0.0F, 1.0F}, {1, 1, 2}));
  const ProgramResult r = run_program(
      {"components", "call", R"json({"_target_": "DiceLoss", "softmax": true, "to_onehot_y": true})json", "--input", logits, "--input", labels});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  // The Dice of two voxels by hand: p = softmax of the logits, mean over both classes, smoothed by 1e-5.
  const double p0 = 1 / (1 + std::exp(-4.0)), p1 = 1 / (1 + std::exp(-2.0));
  const double background = (2 * p0 + 1e-5) / (p0 + (1 - p1) + 1 + 1e-5), spleen = (2 * p1 + 1e-5) / ((1 - p0) + p1 + 1 + 1e-5);
  EXPECT_NEAR(std::stod(r.out), 1 - (background + spleen) / 2, 1e-5) << r.out;
}

TEST_F(Components, AMetricIsAggregated) {
  const std::string a = saved("a.npy", Array::from({1.0F, 1.0F, 0.0F, 0.0F}, {1, 1, 4})),
                    b = saved("b.npy", Array::from({1.0F, 0.0F, 0.0F, 0.0F}, {1, 1, 4}));
  const ProgramResult r = run_program({"components", "call", "DiceMetric", "-i", a, "-i", b});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NEAR(std::stod(r.out.substr(r.out.find_first_not_of("[(") == std::string::npos ? 0 : r.out.find_first_not_of("[("))), 2.0 / 3, 1e-6)
      << r.out;
}

TEST_F(Components, ATransformLeavesAnArray) {
  const std::string in = saved("in.npy", Array::from({0.0F, 5.0F, 10.0F}, {1, 3}));
  const auto out = folder_ / "out.npy";
  const ProgramResult r = run_program({"components", "call", "{'_target_': 'ScaleIntensity', 'maxv': 2.0}", "--input", in, "-o", out.string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Array result = image::read_npy(out);
  EXPECT_EQ(result.shape(), (Shape{1, 3}));
  EXPECT_FLOAT_EQ(static_cast<float>(result.at({0, 1})), 1.0F);
  EXPECT_FLOAT_EQ(static_cast<float>(result.at({0, 2})), 2.0F);
}

TEST_F(Components, ANetworkHasTheOutputsItDeclares) {
  const std::string in = saved("in.npy", Array::zeros({1, 1, 16, 16}, DType::f32));
  const auto out = folder_ / "out.npy";
  const ProgramResult r =
      run_program({"components", "call",
                   R"json({"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "strides": [2]})json",
                   "--input", in, "-o", out.string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.err, HasSubstr("random"));
  EXPECT_EQ(image::read_npy(out).shape(), (Shape{1, 3, 16, 16}));
}

TEST_F(Components, WrongCallsAreNamed) {
  const std::string in = saved("in.npy", Array::zeros({1, 3}, DType::f32));
  for (const auto& [spec, code, said] : {std::tuple{"NoSuchThing", 3, "NoSuchThing"},
                                         {"{'_target_': 'ScaleIntensity', 'nope': 1}", 6, "nope"},
                                         {"{bad", 2, "neither JSON nor"},
                                         {"{'a': 1}", 2, "_target_"},
                                         {"DiceLoss", 6, "DiceLoss"}}) {
    const ProgramResult r = run_program({"components", "call", spec, "--input", in});
    EXPECT_EQ(r.exit_code, code) << spec << ": " << r.err;
    EXPECT_THAT(r.err, HasSubstr(said)) << spec;
    EXPECT_EQ(r.out, "") << spec;
  }
}

}  // namespace
}  // namespace vesal::tests
