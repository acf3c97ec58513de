// Training as a configuration describes it, on tiny problems.
#include <gmock/gmock.h>

#include "base/random.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "image/formats.h"
#include "image/phantom.h"
#include "infer/workflow.h"
#include "nn/network.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

namespace fs = std::filesystem;
using infer::Event;
using infer::Workflow;
using testing::HasSubstr;

/// Two phantoms of 6 mm voxels on disk, and a configuration that trains a UNet of 3,000 parameters on them.
class Training : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<tests::TempDir>();
    for (int i = 0; i < 2; ++i) {
      image::PhantomOptions options;
      options.spacing = {6, 6, 6};
      options.slab_mm = 150;
      const image::Phantom phantom = image::make_phantom(20 + static_cast<std::uint64_t>(i), options);
      image::write_image(*folder_ / ("ct" + std::to_string(i) + ".nii.gz"), phantom.ct, {.dtype = DType::i16});
      image::write_image(*folder_ / ("organs" + std::to_string(i) + ".nii.gz"), phantom.labels, {.dtype = DType::u8});
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static bundle::ConfigParser parser() {
    bundle::ConfigParser p(parse_json(R"json({
      "folder": ".", "epochs": 6, "workers": 1,
      "data": "$[{'image': @folder + f'/ct{i}.nii.gz', 'label': @folder + f'/organs{i}.nii.gz'} for i in range(2)]",
      "network": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "strides": [2], "num_res_units": 1},
      "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.02},
      "preprocessing": {"_target_": "Compose", "transforms": [
        {"_target_": "LoadImaged", "keys": ["image", "label"]},
        {"_target_": "EnsureChannelFirstd", "keys": ["image", "label"]},
        {"_target_": "Lambdad", "keys": "label", "func": "$lambda x: x == 5"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": -160, "a_max": 240, "b_min": 0, "b_max": 1, "clip": true},
        {"_target_": "RandCropByPosNegLabeld", "keys": ["image", "label"], "label_key": "label", "spatial_size": [16, 16, 16], "pos": 1, "neg": 1, "num_samples": 2}]},
      "loader": {"_target_": "DataLoader", "dataset": {"_target_": "CacheDataset", "data": "@data", "transform": "@preprocessing", "progress": false},
                 "batch_size": 1, "shuffle": true, "num_workers": "@workers"},
      "post": {"_target_": "AsDiscreted", "keys": ["pred", "label"], "argmax": [true, false], "to_onehot": 2},
      "dice": {"_target_": "MeanDice", "include_background": false, "output_transform": "$monai.handlers.from_engine(['pred', 'label'])"},
      "validator": {"_target_": "SupervisedEvaluator", "device": "cpu", "network": "@network", "val_data_loader": "@loader", "postprocessing": "@post",
        "key_val_metric": {"val_dice": "@dice"},
        "val_handlers": [{"_target_": "CheckpointSaver", "save_dir": "@folder", "save_dict": {"model": "@network"}, "save_key_metric": true,
                          "key_metric_filename": "model.pt"}]},
      "trainer": {"_target_": "SupervisedTrainer", "device": "cpu", "max_epochs": "@epochs", "train_data_loader": "@loader", "network": "@network",
        "optimizer": "@optimizer", "loss_function": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true},
        "train_handlers": [{"_target_": "ValidationHandler", "validator": "@validator", "interval": 3}]},
      "initialize": ["$monai.utils.set_determinism(seed=3)"],
      "run": ["$@trainer.run()"]})json"));
    p.set("folder", folder_->path().string());
    return p;
  }

  static std::unique_ptr<tests::TempDir> folder_;
};
std::unique_ptr<tests::TempDir> Training::folder_;

/// The losses of a whole run.
std::vector<double> losses_of(bundle::ConfigParser& config) {
  config.run_expressions("initialize");
  std::vector<double> losses;
  config.object<Workflow>("trainer")->on(Event::iteration_completed, [&](Workflow& w) {
    for (const Value& item : w.state().output.items()) EXPECT_EQ(item.as_dict().at("loss"), w.state().output.items()[0].as_dict().at("loss"));
    losses.push_back(w.state().output.items().at(0).as_dict().at("loss").as_float());
  });
  config.run_expressions("run");
  return losses;
}

TEST_F(Training, LowersTheLossAndSavesWeightsThatFit) {
  bundle::ConfigParser config = parser();
  const std::vector<double> losses = losses_of(config);
  ASSERT_EQ(losses.size(), 12u);
  EXPECT_LT(losses[10] + losses[11], 0.8 * (losses[0] + losses[1]));

  const auto validator = config.object<Workflow>("validator");
  EXPECT_GT(validator->state().best_metric.as_float(), 0);
  const auto fresh = nn::NetworkPtr(parser().object<nn::Network>("network"));
  EXPECT_TRUE(fresh->load_state_dict(bundle::read_state_dict(*folder_ / "model.pt"), true).exact());
}

TEST_F(Training, RepeatsUnderASeedWhateverTheThreads) {
  bundle::ConfigParser first = parser(), second = parser();
  first.set("epochs", 2);
  second.set("epochs", 2);
  second.set("workers", 0);
  const auto a = losses_of(first), b = losses_of(second);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4);
}

TEST_F(Training, StopsOnCancelWithoutAFile) {
  bundle::ConfigParser config = parser();
  fs::remove(*folder_ / "model.pt");
  const auto before = std::distance(fs::directory_iterator(folder_->path()), {});
  config.object<Workflow>("trainer")->on(Event::backward_completed, [](Workflow&) { throw Error(ErrorKind::cancelled, "stopped"); });
  EXPECT_THROW(config.run_expressions("run"), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_->path()), {}), before);
}

TEST_F(Training, ItemsOfTheOutputAreTheBatchs) {
  bundle::ConfigParser config = parser();
  config.set("epochs", 1);
  config.object<Workflow>("trainer")->on(Event::model_completed, [](Workflow& w) {
    const auto& output = w.state().output.items();
    ASSERT_EQ(output.size(), 2u);  // two samples of one scan
    for (std::size_t i = 0; i < 2; ++i) {
      const Dict& own = output[i].as_dict();
      EXPECT_EQ(image::array_of(own.at("pred")).shape(), Shape({2, 16, 16, 16}));
      EXPECT_EQ(image::array_of(own.at("image")).raw(), image::array_of(w.state().batch.items()[i].as_dict().at("image")).raw());
    }
  });
  config.run_expressions("run");
}

TEST_F(Training, RefusesInferersThatLoseGradients) {
  bundle::ConfigParser config = parser();
  config.set("trainer::inferer", parse_json(R"({"_target_": "SlidingWindowInferer", "roi_size": [8, 8, 8]})"));
  EXPECT_THAT(failure([&] { config.run_expressions("run"); }), HasSubstr("trains through a SimpleInferer"));
}

}  // namespace
}  // namespace vesal::train
