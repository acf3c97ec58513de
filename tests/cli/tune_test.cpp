// finetune and transfer through the program: tiny phantoms, a tiny network.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "bundle/checkpoint.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Tune : public testing::Test {
 protected:
  void SetUp() override {
    TinyBundle base;  // on a coarse grid: there are few windows
    base.preprocessing.replace(base.preprocessing.find("[3.0, 3.0, 3.0]"), 15, "[8.0, 8.0, 8.0]");
    write_tiny_bundle(dir / "base", base);
    const ProgramResult made = run_program({"phantom", "-o", data(), "--count", "3", "--seed", "5", "--spacing", "6", "6", "6", "--slab", "120"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  std::string data() const { return (dir / "data").string(); }
  std::string out() const { return (dir / "out").string(); }
  ProgramResult run(const std::string& command, std::vector<std::string> more) const {
    std::vector<std::string> args{command, "--bundle", (dir / "base").string(), "--data", data(), "-o", out(), "--epochs", "2", "--iterations", "2"};
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args);
  }
  Value json(const std::string& file) const { return parse_json(read_text(dir / file)); }
  TempDir dir;
};

TEST_F(Tune, FineTunesIntoACompleteBundle) {
  const ProgramResult tuned = run("finetune", {"--label-map", "spleen:spleen", "--freeze", "encoder", "--lr", "0.01", "--json"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  const Value report = parse_json(tuned.out);
  const Dict& r = report.as_dict();
  EXPECT_EQ(r.at("training_cases"), Value(2));
  EXPECT_EQ(r.at("validation_cases"), Value(1));
  EXPECT_EQ(r.at("version"), Value("1.3.0"));
  EXPECT_LT(r.at("trained_parameters").as_int(), r.at("parameters").as_int());
  EXPECT_TRUE(r.contains("verdict"));
  EXPECT_GT(r.at("estimated_seconds").as_float(), 0);
  EXPECT_GT(r.at("estimated_cache_bytes").as_int(), 0);
  EXPECT_FALSE(fs::exists(out() + ".unfinished"));

  // What was frozen is as it was, the rest is not.
  std::map<std::string, bool> same;
  const bundle::StateDict before = bundle::read_state_dict(dir / "base/models/model.pt"),
                          after = bundle::read_state_dict(dir / "out/models/model.pt");
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(before[i].first, after[i].first);
    const Array a = before[i].second.contiguous(), b = after[i].second.contiguous();
    same[before[i].first] = std::equal(a.data<float>(), a.data<float>() + a.numel(), b.data<float>());
  }
  EXPECT_TRUE(same.at("model.0.conv.unit0.conv.weight"));
  EXPECT_FALSE(same.at("model.2.0.conv.weight"));

  const Value metadata = json("out/configs/metadata.json");
  EXPECT_EQ(metadata.as_dict().at("version"), Value("1.3.0"));
  EXPECT_TRUE(metadata.as_dict().at("eval_metrics").as_dict().contains("mean_dice_of_base"));
  EXPECT_THAT(read_text(dir / "out/docs/README.md"), HasSubstr("| training cases | 2 |"));
  EXPECT_THAT(read_text(dir / "out/docs/README.md"), HasSubstr("| mean Dice |"));
  EXPECT_THAT(read_text(dir / "out/configs/train.json"), Not(HasSubstr(dir.path().string())));

  // The recipe runs by itself, and so do evaluation and segmentation.
  const ProgramResult again = run_program({"bundle", "run", "--config_file", "configs/train.json", "--epochs", "1"}, {.folder = out()});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  const ProgramResult judged = run_program({"bundle", "run", "--config_file", "configs/train.json,configs/evaluate.json"}, {.folder = out()});
  EXPECT_EQ(judged.exit_code, 0) << judged.err;
  EXPECT_THAT(read_text(dir / "out/eval/metrics.csv"), HasSubstr("val_mean_dice,"));

  const ProgramResult refused = run("finetune", {});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("exists already"));
}

TEST_F(Tune, TransfersToOtherClassesAndReplaysOldCases) {
  const ProgramResult made =
      run("transfer", {"--classes", "background,liver,spleen", "--label-map", "liver:liver,spleen:spleen", "--validation",
                       (dir / "data/imagesTr/phantom_0005.nii.gz").string() + "," + (dir / "data/labelsTr/phantom_0005.nii.gz").string(), "--no-gate",
                       "a test", "--no-evaluation"});
  ASSERT_EQ(made.exit_code, 0) << made.err << made.out;
  EXPECT_THAT(made.out, HasSubstr("and the rows of background, spleen"));
  const Value metadata = json("out/configs/metadata.json");
  const Dict& pred = metadata.as_dict().at("network_data_format").as_dict().at("outputs").as_dict().at("pred").as_dict();
  EXPECT_EQ(pred.at("num_channels"), Value(3));
  EXPECT_EQ(pred.at("channel_def").as_dict().at("1"), Value("liver"));
  EXPECT_THAT(read_text(dir / "out/docs/README.md"), HasSubstr("| dataset gate | not asked: a test |"));
  const ProgramResult masks =
      run_program({"segment", (dir / "data/imagesTr/phantom_0006.nii.gz").string(), "-o", (dir / "mask.nii.gz").string(), "--bundle", out()});
  EXPECT_EQ(masks.exit_code, 0) << masks.err;
  EXPECT_THAT(masks.out, HasSubstr("liver"));
}

TEST_F(Tune, SaysWhatIsWrongAndLeavesNothing) {
  const std::string one = (dir / "data/imagesTr/phantom_0005.nii.gz").string() + "," + (dir / "data/labelsTr/phantom_0005.nii.gz").string();
  const ProgramResult lone = run_program({"finetune", "--bundle", (dir / "base").string(), "--data", one, "-o", out()});
  EXPECT_EQ(lone.exit_code, 2);
  EXPECT_THAT(lone.err, HasSubstr("training needs at least two"));

  const ProgramResult leak = run("finetune", {"--label-map", "spleen:spleen", "--validation", one});
  EXPECT_EQ(leak.exit_code, 22) << leak.err;
  EXPECT_THAT(leak.out, HasSubstr("leak"));

  const fs::path label = dir / "data/labelsTr/phantom_0006.nii.gz";
  fs::rename(label, dir / "kept");
  const ProgramResult missing = run("finetune", {"--label-map", "spleen:spleen", "--no-gate", "a test"});
  EXPECT_EQ(missing.exit_code, 3) << missing.err;
  EXPECT_THAT(missing.err, HasSubstr("phantom_0006.nii.gz: no such file"));
  fs::rename(dir / "kept", label);

  const ProgramResult shape = run("finetune", {"--label-map", "spleen:spleen", "--set", "network_def::channels=[4,9]"});
  EXPECT_EQ(shape.exit_code, 8) << shape.err;
  for (const auto& entry : fs::directory_iterator(dir.path())) EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("base", "data"));
}

}  // namespace
}  // namespace vesal::tests
