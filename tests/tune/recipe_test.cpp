// Recipes made from inference configurations: the built-in bundle's whole, and what differs for others.
#include "tune/recipe.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "paths.h"
#include "tune/bundle_recipe.h"
#include "tune/plan.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "";
}

/// A step of a transform list by its name; nullptr if it is not there.
const Dict* step(const Value& steps, const std::string& name) {
  for (const Value& s : steps.items())
    if (s.as_dict().at("_target_").as_string() == name) return &s.as_dict();
  return nullptr;
}
std::vector<std::string> names(const Value& steps) {
  std::vector<std::string> out;
  for (const Value& s : steps.items()) out.push_back(s.as_dict().at("_target_").as_string());
  return out;
}

struct Made {
  Value train;
  tune::RecipePlan plan;
  const Value& fixed() const { return train.as_dict().at("train").as_dict().at("deterministic_transforms"); }
  const Value& random() const { return train.as_dict().at("train").as_dict().at("random_transforms"); }
};

judge::CaseSet cases(const std::vector<fs::path>& scans) {
  judge::CaseSet set;
  for (const fs::path& scan : scans) set.cases.push_back({.id = scan.stem().string(), .image = scan, .label = scan, .split = "", .fold = {}});
  return set;
}

Made make(const fs::path& bundle, tune::TuningOptions options = {}) {
  const tune::BaseBundle base = tune::read_base(bundle);
  const tune::InferenceSteps steps = tune::read_inference_steps(base);
  const tune::StartWeights start =
      options.classes.empty() ? tune::own_weights(base) : tune::transplanted_weights(base, options.classes, options.seed);
  Made made;
  made.plan = tune::make_plan(base, steps, start, options);
  made.train = tune::make_train_config(base, steps, made.plan);
  return made;
}

TEST(Recipe, OfTheBuiltInBundleIsTheGoldenOne) {
  tune::TuningOptions options;
  options.freeze = {"encoder"};
  options.patience = 3;
  options.augmentation = "strong";
  const std::string made = to_json(make(source_dir() / "bundles/spleen_ct_phantom", options).train, 4) + "\n";
  const fs::path golden = data("tune/data/spleen_ct_phantom_train.json");
  if (const char* renew = std::getenv("VESAL_RENEW_GOLDEN"); renew && *renew) write_file(golden, made);
  EXPECT_EQ(made, read_text(golden)) << "if the change is meant: VESAL_RENEW_GOLDEN=1 build/release/test_tune --gtest_filter='Recipe.*'";
}

TEST(Recipe, OfTheBundleTakesTheUsersCasesAndKeepsTheBest) {
  const tune::BaseBundle base = tune::read_base(source_dir() / "bundles/spleen_ct_phantom");
  tune::TuningOptions options;
  options.recipe = "bundle";
  tune::RecipePlan plan;
  plan.epochs = 7;
  plan.freeze = "^model";
  plan.replay_repeats = 2;
  const Dict train = tune::adapt_train_config(base, plan, options);
  EXPECT_EQ(train.at("train").as_dict().at("dataset").as_dict().at("data"), Value("$@training_cases + @replay_cases * 2"));
  EXPECT_EQ(train.at("validate").as_dict().at("dataset").as_dict().at("data"), Value("@validation_cases"));
  EXPECT_EQ(train.at("epochs"), Value(7));
  EXPECT_EQ(train.at("train").as_dict().at("trainer").as_dict().at("max_epochs"), Value("@epochs"));
  EXPECT_DOUBLE_EQ(train.at("learning_rate").as_float(), 0.0002);  // a tenth of the bundle's
  EXPECT_EQ(train.at("loss").as_dict().at("_target_"), Value("DiceCELoss"));
  const auto& handlers = train.at("validate").as_dict().at("handlers").items();
  EXPECT_EQ(std::count_if(handlers.begin(), handlers.end(), [](const Value& h) { return h.as_dict().at("_target_") == Value("CheckpointSaver"); }),
            1);
  EXPECT_EQ(train.at("initialize").repr(),
            "['$monai.utils.set_determinism(seed=1)', '$@start(@train::trainer)', "
            "'$monai.networks.utils.freeze_layers(@network, freeze_vars=@freeze)']");
  options.label_map = {{5, 1}};
  EXPECT_THAT(failure([&] { tune::adapt_train_config(base, plan, options); }), HasSubstr("--label-map goes with the recipe that vesal makes"));
}

class Derived : public testing::Test {
 protected:
  TempDir dir;
};

TEST_F(Derived, TheLabelGoesAlongOnTheSameGrid) {
  write_tiny_bundle(dir.path(), {.preprocessing = R"(
    {"_target_": "LoadImaged", "keys": "@scan"},
    {"_target_": "EnsureChannelFirstd", "keys": "@scan"},
    {"_target_": "Orientationd", "keys": "@scan", "axcodes": "LPS"},
    {"_target_": "Spacingd", "keys": "@scan", "pixdim": "@mm", "mode": "bilinear"},
    {"_target_": "CropForegroundd", "keys": "@scan", "source_key": "@scan"},
    {"_target_": "NormalizeIntensityd", "keys": "@scan", "nonzero": true},
    {"_target_": "EnsureTyped", "keys": "@scan", "dtype": "$numpy.float32"})"});
  std::string text = read_text(dir / "configs/inference.json");
  text.insert(1, "\"imports\": [\"$import numpy\"], \"scan\": \"ct\", \"mm\": \"$[@voxel, @voxel, 2 * @voxel]\", \"voxel\": 1.5,");
  write_file(dir / "configs/inference.json", text);
  const Made made = make(dir.path());
  EXPECT_THAT(names(made.fixed()), ElementsAre("LoadImaged", "EnsureChannelFirstd", "Orientationd", "Spacingd", "CropForegroundd",
                                               "NormalizeIntensityd", "EnsureTyped", "EnsureTyped", "CastToTyped"));
  const Dict& spacing = *step(made.fixed(), "Spacingd");
  EXPECT_EQ(spacing.at("keys").repr(), "['image', 'label']");
  EXPECT_EQ(spacing.at("mode").repr(), "['bilinear', 'nearest']");
  EXPECT_EQ(spacing.at("pixdim").repr(), "[1.5, 1.5, 3.0]");
  EXPECT_EQ(step(made.fixed(), "CropForegroundd")->at("source_key"), Value("image"));
  EXPECT_EQ(step(made.fixed(), "NormalizeIntensityd")->at("keys"), Value("image"));
  EXPECT_EQ(made.fixed().items()[7].as_dict().at("keys"), Value("label"));
  EXPECT_FALSE(made.fixed().items()[7].as_dict().contains("dtype"));
  EXPECT_EQ(made.fixed().items()[6].as_dict().at("dtype"), Value("$numpy.float32"));
  EXPECT_FALSE(step(made.random(), "RandCropByPosNegLabeld")->contains("image_key"));  // zero means nothing in normalized values
}

TEST_F(Derived, LabelsAreMappedOnTheGridTrainedOn) {
  write_tiny_bundle(dir.path(), {.channels = {"background", "spleen", "liver"}});
  tune::TuningOptions options;
  options.label_map = {{5, 2}, {1, 1}};
  Made made = make(dir.path(), options);
  EXPECT_THAT(names(made.fixed()), ElementsAre("LoadImaged", "EnsureChannelFirstd", "Orientationd", "Spacingd", "LabelFilterd", "MapLabelValued",
                                               "ScaleIntensityRanged", "CastToTyped"));
  EXPECT_EQ(step(made.fixed(), "LabelFilterd")->at("applied_labels").repr(), "[1, 5]");
  EXPECT_EQ(step(made.fixed(), "MapLabelValued")->at("orig_labels").repr(), "[5]");
  EXPECT_EQ(step(made.fixed(), "MapLabelValued")->at("target_labels").repr(), "[2]");
  EXPECT_EQ(step(made.random(), "RandCropByLabelClassesd")->at("num_classes"), Value(3));

  // Replayed cases have the bundle's labels already: a label 1 of theirs stays, one of the new cases may be something else.
  options.label_map = {{5, 2}};
  options.training = cases({"a", "b"});
  options.replay = cases({"c"});
  options.replay_share = 50;
  made = make(dir.path(), options);
  const Dict& maps = step(made.fixed(), "Relabeld")->at("label_mappings").as_dict();
  EXPECT_EQ(step(made.fixed(), "LabelFilterd")->at("applied_labels").repr(), "[1, 2, 5]");
  EXPECT_EQ(maps.at("new").repr(), "[[1, 0], [2, 0], [5, 2]]");
  EXPECT_EQ(maps.at("replay").repr(), "[[1, 1], [2, 2], [5, 0]]");
  EXPECT_EQ(made.train.as_dict().at("train").as_dict().at("dataset").as_dict().at("data"), Value("$@training_cases + @replay_cases * 2"));
}

TEST_F(Derived, PatchesFitTheCasesAndTheNetwork) {
  write_tiny_bundle(dir.path());
  // 6 mm voxels stored as PIR: on the bundle's 3 mm RAS grid 9 x 39 x 19 voxels, while the windows are 16 x 16 x 16.
  image::Affine affine;
  affine.m = {{{0, 0, 6, 0}, {-6, 0, 0, 0}, {0, -6, 0, 0}, {0, 0, 0, 1}}};
  image::write_image(dir / "scan.nii.gz", image::Image(Array::zeros({20, 10, 5}, DType::i16), affine));
  tune::TuningOptions options;
  options.training = cases({dir / "scan.nii.gz"});
  const tune::RecipePlan plan = make(dir.path(), options).plan;
  EXPECT_THAT(plan.patch_size, ElementsAre(10, 16, 16));
  EXPECT_THAT(plan.crop_size, ElementsAre(10, 20, 19));
  EXPECT_THAT(plan.spacing, ElementsAre(3, 3, 3));
  EXPECT_EQ(plan.batch_size, 1);
  EXPECT_EQ(plan.samples_per_case, 2);
  options.patch_size = {{16, 16, 15}};
  EXPECT_THAT(failure([&] { make(dir.path(), options); }), HasSubstr("--patch 15"));
}

TEST_F(Derived, WarmPartsLearnAtALowerRate) {
  write_tiny_bundle(dir.path());
  tune::TuningOptions options;
  options.warm_factor = 0.25;
  Made made = make(dir.path(), options);
  EXPECT_THAT(made.plan.full_rate, testing::Each(testing::StartsWith("model.2.")));
  EXPECT_THAT(made.train.as_dict().at("optimizer").as_dict().at("params").as_string(), HasSubstr("generate_param_groups"));
  options.warm_factor = {};
  options.classes = {"background", "liver"};
  made = make(dir.path(), options);
  EXPECT_EQ(made.plan.warm_factor, 0.1);
  EXPECT_THAT(made.plan.full_rate, testing::Not(testing::Contains("model.2.1.conv.unit0.adn.A.weight")));
  options.warm_factor = 3;
  EXPECT_THAT(failure([&] { make(dir.path(), options); }), HasSubstr("--warm-factor 3"));
}

TEST_F(Derived, WhatCannotBeWrittenDownIsSaid) {
  const char* const tail = R"({"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"})";
  const auto with = [&](const std::string& first, const std::string& post = R"({"_target_": "AsDiscreted", "keys": "pred", "argmax": true})") {
    const TempDir folder;
    write_tiny_bundle(folder.path(), {.postprocessing = post, .preprocessing = first + "," + tail});
    return failure([&] { make(folder.path()); });
  };
  EXPECT_THAT(with(R"({"_target_": "LoadImaged", "keys": ["t1", "t2"]})"), HasSubstr("reads several files of a case; use the bundle's own training"));
  EXPECT_THAT(with(R"({"_target_": "EnsureChannelFirstd", "keys": "image"})"), HasSubstr("does not begin with LoadImaged"));
  EXPECT_THAT(with(R"({"_target_": "LoadImaged", "keys": "image"}, {"_target_": "scripts.mine.Warpd", "keys": "image"})"), HasSubstr("Warpd"));
  EXPECT_THAT(with(R"({"_target_": "LoadImaged", "keys": "image"})", R"({"_target_": "Activationsd", "keys": "pred", "sigmoid": true})"),
              HasSubstr("channels overlap"));
}

}  // namespace
}  // namespace vesal::tests
