// What a training does when something goes wrong: it stops with an error that says what, and what was saved before stays good.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "image/image.h"
#include "infer/workflow.h"
#include "rule_weights.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

namespace fs = std::filesystem;
using infer::Workflow;
using testing::AllOf;
using testing::HasSubstr;

/// One more case of 8^3 voxels whose label is where the image is positive.
Value a_case(int number, const std::function<void(float*)>& change = {}) {
  const Shape shape{1, 8, 8, 8};
  Array image = tests::rule_input(shape, "case" + std::to_string(number));
  Array label = Array::zeros(shape, DType::f32);
  for (std::int64_t i = 0; i < image.numel(); ++i) label.data<float>()[i] = image.data<float>()[i] > 0;
  if (change) change(image.data<float>());
  image::Image scan(image);
  scan.meta["filename_or_obj"] = "/data/ct_" + std::to_string(number) + ".nii.gz";
  return Dict{{"image", image::to_value(scan)}, {"label", image::to_value(image::Image(label))}};
}

/// A training of two epochs on the given cases, saving each iteration.
bundle::ConfigParser training(const tests::TempDir& folder, std::vector<Value> cases) {
  bundle::ConfigParser p(parse_json(R"json({
    "data": [], "lr": 0.01, "channels": [2, 4],
    "network": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": "@channels", "strides": [2]},
    "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": "@lr"},
    "loader": {"_target_": "DataLoader", "dataset": {"_target_": "Dataset", "data": "@data"}, "batch_size": 1},
    "saver": {"_target_": "CheckpointSaver", "save_dir": ".", "save_dict": {"model": "@network", "optimizer": "@optimizer"}, "save_interval": 1,
              "epoch_level": false, "save_final": true, "final_filename": "last.pt"},
    "trainer": {"_target_": "SupervisedTrainer", "device": "cpu", "max_epochs": 2, "train_data_loader": "@loader", "network": "@network",
      "optimizer": "@optimizer", "loss_function": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true}, "train_handlers": ["@saver"]}
  })json"));
  p.set("data", List{std::move(cases)});
  p.set("saver::save_dir", folder.path().string());
  return p;
}
void train(bundle::ConfigParser& config) { config.object<Workflow>("trainer")->run(); }

bool finite(const fs::path& checkpoint) {
  for (const auto& [name, array] : bundle::read_state_dict(checkpoint, "model")) {
    const Array values = array.to(DType::f32).contiguous();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      if (!std::isfinite(values.data<float>()[i])) return false;
  }
  return true;
}
std::size_t files_in(const tests::TempDir& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(RobustTraining, AScanOfNanStopsItAndIsNamed) {
  const tests::TempDir folder;
  auto config = training(folder, {a_case(1), a_case(2), a_case(3, [](float* voxels) { voxels[5] = NAN; })});
  EXPECT_THAT(failure([&] { train(config); }),
              AllOf(HasSubstr("the loss is nan in epoch 1, iteration 3 (ct_3.nii.gz)"), HasSubstr("the images hold values that are not finite"),
                    HasSubstr("the last good checkpoint is " + (folder / "checkpoint_iteration=2.pt").string())));
  EXPECT_TRUE(finite(folder / "checkpoint_iteration=2.pt"));
  EXPECT_TRUE(finite(folder / "last.pt")) << "saved as the training broke off: BatchNorm has seen NaN by then, the weights have not";
}

TEST(RobustTraining, ADivergingOneKeepsItsLastGoodCheckpoint) {
  const tests::TempDir folder;
  auto config = training(folder, {a_case(1), a_case(2), a_case(3)});
  config.set("lr", 1e30);
  const std::string said = failure([&] { train(config); });
  EXPECT_THAT(said, AllOf(HasSubstr("in epoch 1, iteration"), HasSubstr("a lower learning rate"), HasSubstr("checkpoint")));
  for (const auto& file : fs::directory_iterator(folder.path()))
    EXPECT_FALSE(std::isnan(bundle::read_state_dict(file.path(), "model")[0].second.at({0, 0, 0, 0, 0}))) << file.path();
}

TEST(RobustTraining, AFullDiskLeavesTheLastGoodCheckpoint) {
  const tests::TempDir folder;
  auto config = training(folder, {a_case(1), a_case(2), a_case(3)});
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);  // writing then fails as on a full disk
  std::string first;
  config.object<Workflow>("trainer")->on(infer::Event::iteration_started, [&](Workflow& w) {
    if (w.state().iteration != 2) return;
    first = read_text(folder / "checkpoint_iteration=1.pt");
    const rlimit small{3000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  });
  const std::string said = failure([&] { train(config); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signal_before);
  EXPECT_THAT(said, AllOf(HasSubstr("writing"), HasSubstr("checkpoint_iteration=2.pt"), HasSubstr("File too large")));
  EXPECT_EQ(read_text(folder / "checkpoint_iteration=1.pt"), first);
  EXPECT_EQ(files_in(folder), 1u) << "neither a part of the second nor of the final one";
}

TEST(RobustTraining, ACheckpointOfAnotherNetworkIsRefusedWithNamesAndShapes) {
  const tests::TempDir folder;
  auto trained = training(folder, {a_case(1)});
  train(trained);
  const fs::path file = folder / "last.pt";
  const auto load = [&](const char* change, const char* value, const char* load_dict) {
    auto other = training(folder, {a_case(1)});
    if (*change) other.set(change, parse_json(value));
    other.set("loader_of_weights", parse_json(R"({"_target_": "CheckpointLoader"})"));
    other.set("loader_of_weights::load_path", file.string());
    other.set("loader_of_weights::load_dict", parse_json(load_dict));
    other.set("trainer::train_handlers", parse_json(R"(["@loader_of_weights"])"));
    return failure([&] { train(other); });
  };
  EXPECT_EQ(load("", "", R"({"model": "@network", "optimizer": "@optimizer"})"), "nothing thrown");
  EXPECT_THAT(load("channels", "[3, 4]", R"({"model": "@network"})"),
              AllOf(HasSubstr(file.string()), HasSubstr("conv.weight: checkpoint [2, 1, 3, 3, 3], network [3, 1, 3, 3, 3]")));
  EXPECT_THAT(load("network::num_res_units", "1", R"({"model": "@network"})"), AllOf(HasSubstr(file.string()), HasSubstr("missing: model.")));
  EXPECT_THAT(load("channels", "[3, 4]", R"({"optimizer": "@optimizer"})"),
              AllOf(HasSubstr(file.string()), HasSubstr("exp_avg of parameter 0 is [2, 1, 3, 3, 3], the parameter [3, 1, 3, 3, 3]")));
  EXPECT_THAT(load("network::num_res_units", "1", R"({"optimizer": "@optimizer"})"), HasSubstr("is it of another network?"));
}

TEST(RobustTraining, NothingToTrainOnIsAnError) {
  const tests::TempDir folder;
  auto one = training(folder, {a_case(1)});
  one.set("loader::batch_size", Value(4));
  train(one);  // a smaller batch
  one.set("loader::drop_last", Value(true));
  EXPECT_THAT(failure([&] { train(one); }), HasSubstr("nothing to train on: 1 item does not fill a batch of 4, and drop_last"));
  auto none = training(folder, {});
  EXPECT_THAT(failure([&] { train(none); }), HasSubstr("nothing to train on: the dataset is empty"));
}

TEST(RobustTraining, LabelsOutsideTheClassesNameTheScan) {
  const tests::TempDir folder;
  Value wrong = a_case(7);
  const Value label = image::to_value(image::Image(Array::full({1, 8, 8, 8}, DType::f32, 3)));
  wrong.mutable_dict()["label"] = label;
  auto config = training(folder, {wrong});
  EXPECT_THAT(failure([&] { train(config); }), AllOf(HasSubstr("batch of ct_7.nii.gz"), HasSubstr("labels"), HasSubstr("3")));
  // A class that no label has is no error.
  auto three = training(folder, {a_case(1)});
  three.set("network::out_channels", Value(3));
  train(three);
  EXPECT_TRUE(finite(folder / "last.pt"));
}

}  // namespace
}  // namespace vesal::train
