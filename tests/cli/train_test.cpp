// The built-in bundle's train.json and evaluate.json through the program, on tiny phantoms with a tiny network.
#include <gmock/gmock.h>
#include <signal.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "bundle/checkpoint.h"
#include "cli/program.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TrainBundle : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(dir / "bundle");
    fs::copy(source_dir() / "bundles/spleen_ct_phantom/configs", dir / "bundle/configs", fs::copy_options::recursive);
    const ProgramResult made = run_program({"phantom", "-o", data(), "--count", "3", "--seed", "5", "--spacing", "6", "6", "6", "--slab", "120"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  std::string data() const { return (dir / "data").string(); }

  ProgramResult run(const std::string& configs, std::vector<std::string> more, const std::string& interrupt_when = "",
                    const std::function<void(int)>& interrupt = {}) const {
    std::vector<std::string> args{
        "bundle",       "run",        "--config_file",           configs, "--dataset_dir",          data(), "--validation_cases", "1",
        "--patch_size", "[32,32,16]", "--network_def::channels", "[4,8]", "--network_def::strides", "[2]",  "--val_interval",     "1"};
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args, {.folder = (dir / "bundle").string(), .interrupt_when = interrupt_when, .interrupt = interrupt});
  }
  TempDir dir;
};

TEST_F(TrainBundle, TrainsAndEvaluates) {
  const ProgramResult trained = run("configs/train.json", {"--epochs", "2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("Epoch[2] Metrics -- val_mean_dice: "));
  ASSERT_TRUE(fs::exists(dir / "bundle/models/model.pt"));

  const ProgramResult judged = run("['configs/train.json','configs/evaluate.json']", {});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  const std::string raw = read_text(dir / "bundle/eval/val_mean_dice_raw.csv");
  for (const char* scan : {"phantom_0005.nii.gz,", "phantom_0006.nii.gz,", "phantom_0007.nii.gz,"}) EXPECT_THAT(raw, HasSubstr(scan));
  EXPECT_THAT(read_text(dir / "bundle/eval/metrics.csv"), HasSubstr("val_mean_dice,"));
}

TEST_F(TrainBundle, GoesOnAfterKill9ToTheSameWeights) {
  const std::vector<std::string> epochs{"--epochs", "4"};
  const ProgramResult straight = run("configs/train.json", {"--epochs", "4", "--training_dir", "straight"});
  ASSERT_EQ(straight.exit_code, 0) << straight.err;
  const ProgramResult killed = run("configs/train.json", epochs, "Epoch[2] Metrics", [](int pid) { kill(pid, SIGKILL); });
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
  const ProgramResult resumed = run("configs/train.json", {"--epochs", "4", "--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("going on after epoch"));
  const auto network = [&](const char* folder) {
    const Value state = bundle::read_checkpoint(dir / "bundle" / folder / "state.pt");
    return bundle::find_state_dict(state.as_dict().at("trainer").as_dict().at("network"));
  };
  const auto a = network("straight"), b = network("training");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].second.nbytes(), b[i].second.nbytes());
    EXPECT_EQ(std::memcmp(a[i].second.contiguous().raw(), b[i].second.contiguous().raw(), a[i].second.nbytes()), 0) << a[i].first;
  }
}

TEST_F(TrainBundle, CtrlCLeavesNoHalfWrittenFile) {
  const ProgramResult stopped = run("configs/train.json", {"--epochs", "100000"}, "Epoch[2] Metrics");
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_LT(stopped.seconds_after_interrupt, 10) << "one iteration and what the loading threads were at";
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(dir / "bundle/models")) files.push_back(entry.path().filename().string());
  EXPECT_THAT(files, testing::ElementsAre("model.pt"));
}

}  // namespace
}  // namespace vesal::tests
