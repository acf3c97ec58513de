// A training that is broken off and resumed ends with the same numbers as one that never stopped.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/random.h"
#include "bundle/checkpoint.h"
#include "infer/training_run.h"
#include "infer/workflow.h"
#include "nn/network.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

namespace fs = std::filesystem;
using infer::Event;
using infer::RunReport;
using infer::Workflow;
using testing::HasSubstr;

/// Six images of 16 x 16 with a bright square, its place the label.
List squares() {
  List items;
  Random random(7);
  for (int i = 0; i < 6; ++i) {
    std::vector<float> image(256), label(256);
    const std::int64_t x0 = random.integer(1, 8), y0 = random.integer(1, 8);
    for (std::int64_t x = 0; x < 16; ++x) {
      for (std::int64_t y = 0; y < 16; ++y) {
        const bool inside = x >= x0 && x < x0 + 6 && y >= y0 && y < y0 + 6;
        label[static_cast<std::size_t>(x * 16 + y)] = inside ? 1 : 0;
        image[static_cast<std::size_t>(x * 16 + y)] = static_cast<float>(random.normal(inside ? 1 : 0, 0.7));
      }
    }
    items.items.emplace_back(
        Dict{{"image", Array::from(std::span<const float>(image), {1, 16, 16})}, {"label", Array::from(std::span<const float>(label), {1, 16, 16})}});
  }
  return items;
}

class Resume : public testing::Test {
 protected:
  /// An epoch is five of a pass's six batches, so that epochs end within passes.
  bundle::ConfigParser parser(int epochs) const {
    bundle::ConfigParser p(parse_json(R"json({
      "network": {"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "strides": [2], "num_res_units": 1,
                  "norm": "batch", "dropout": 0.2},
      "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.01},
      "schedule": {"_target_": "torch.optim.lr_scheduler.StepLR", "optimizer": "@optimizer", "step_size": 2, "gamma": 0.5},
      "random": {"_target_": "RandGaussianNoised", "keys": "image", "prob": 0.5, "std": 0.3},
      "loader": {"_target_": "DataLoader", "dataset": {"_target_": "Dataset", "data": "@data", "transform": "@random"}, "batch_size": 1, "shuffle": true,
                 "num_workers": 2},
      "judging": {"_target_": "DataLoader", "dataset": {"_target_": "Dataset", "data": "@data"}, "batch_size": 2},
      "post": {"_target_": "AsDiscreted", "keys": ["pred", "label"], "argmax": [true, false], "to_onehot": 2},
      "dice": {"_target_": "MeanDice", "output_transform": "$monai.handlers.from_engine(['pred', 'label'])"},
      "validator": {"_target_": "SupervisedEvaluator", "device": "cpu", "network": "@network", "val_data_loader": "@judging", "postprocessing": "@post",
        "key_val_metric": {"val_dice": "@dice"},
        "val_handlers": [
          {"_target_": "CheckpointSaver", "save_dir": "@folder", "save_dict": {"model": "@network"}, "save_key_metric": true, "key_metric_n_saved": 2},
          {"_target_": "EarlyStopHandler", "patience": 50, "trainer": null, "score_function": "$lambda engine: engine.state.metrics['val_dice']"}]},
      "trainer": {"_target_": "SupervisedTrainer", "device": "cpu", "max_epochs": "@epochs", "epoch_length": 5, "train_data_loader": "@loader",
        "network": "@network", "optimizer": "@optimizer", "loss_function": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true},
        "train_handlers": [{"_target_": "LrScheduleHandler", "lr_scheduler": "@schedule"},
                           {"_target_": "ValidationHandler", "validator": "@validator", "interval": 1}]},
      "initialize": ["$monai.utils.set_determinism(seed=3)", "$@validator#val_handlers#1.set_trainer(@trainer)"],
      "run": ["$@trainer.run()"]})json"));
    p.set("data", squares());
    p.set("folder", (folder_ / "models").string());
    p.set("epochs", epochs);
    return p;
  }
  RunReport run(bundle::ConfigParser& p, const std::string& folder, bool resume) const {
    return infer::run_training(p, {"initialize", "run"}, {.folder = folder_ / folder, .resume = resume});
  }
  std::string weights(const std::string& folder) const {
    const Value state = bundle::read_checkpoint(folder_ / folder / "state.pt");
    std::string bytes;
    for (const auto& [name, array] : bundle::find_state_dict(state.as_dict().at("trainer").as_dict().at("network")))
      bytes +=
          name + std::string(static_cast<const char*>(array.contiguous().raw()), static_cast<std::size_t>(array.numel()) * size_of(array.dtype()));
    return bytes;
  }
  std::vector<std::string> models() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "models")) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  tests::TempDir folder_;
};

TEST_F(Resume, EndsWithTheSameNumbers) {
  bundle::ConfigParser whole = parser(6);
  const RunReport straight = run(whole, "straight", false);
  ASSERT_EQ(straight.history.size(), 6u);
  const auto models_of_straight = models();
  fs::remove_all(folder_ / "models");

  bundle::ConfigParser begun = parser(6);
  set_global_seed(3);  // as `initialize` does, but the network is built here
  begun.object<Workflow>("trainer")->on(Event::iteration_completed, [](Workflow& w) {
    if (w.state().iteration == 13) throw Error(ErrorKind::cancelled, "stopped");  // in the third epoch
  });
  EXPECT_THAT(failure([&] { run(begun, "resumed", false); }), HasSubstr("up to epoch 2"));
  set_global_seed(99);  // whatever the process did meanwhile
  bundle::ConfigParser rest = parser(6);
  const RunReport resumed = run(rest, "resumed", true);

  EXPECT_TRUE(weights("resumed") == weights("straight"));
  EXPECT_EQ(models(), models_of_straight);
  ASSERT_EQ(resumed.history.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(resumed.history[i].epoch, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(resumed.history[i].loss, straight.history[i].loss);
    EXPECT_EQ(resumed.history[i].learning_rate, straight.history[i].learning_rate);
    EXPECT_EQ(resumed.history[i].validation, straight.history[i].validation);
  }
  EXPECT_EQ(resumed.history[2].learning_rate, 0.005);
  EXPECT_EQ(rest.object<Workflow>("validator")->state().best_metric, whole.object<Workflow>("validator")->state().best_metric);
}

TEST_F(Resume, SameSeedSameWeights) {
  bundle::ConfigParser first = parser(2), second = parser(2);
  second.set("loader::num_workers", 0);
  run(first, "first", false);
  run(second, "second", false);
  EXPECT_TRUE(weights("first") == weights("second"));
}

TEST_F(Resume, RefusesWhatIsNoStateOrOfAnotherConfiguration) {
  bundle::ConfigParser p = parser(1);
  EXPECT_THAT(failure([&] { run(p, "none", true); }), HasSubstr("no training to resume"));
  fs::create_directories(folder_ / "other");
  bundle::write_checkpoint(folder_ / "other/state.pt", Dict{{"model", 1}});
  bundle::ConfigParser q = parser(1);
  EXPECT_THAT(failure([&] { run(q, "other", true); }), HasSubstr("no state of a training"));

  bundle::ConfigParser r = parser(1);
  run(r, "smaller", false);
  bundle::ConfigParser larger = parser(2);
  larger.set("network::channels", parse_json("[8, 8]"));
  EXPECT_THAT(failure([&] { run(larger, "smaller", true); }), HasSubstr("smaller/state.pt"));
}

}  // namespace
}  // namespace vesal::train
