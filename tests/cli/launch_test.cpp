// vesal launch with the built-in bundle's multi_gpu_*.json: two ranks learn what one does with twice the batch, judge as one does,
// and none waits for one that was killed.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "base/file.h"
#include "bundle/checkpoint.h"
#include "cli/program.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

class Launch : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>();
    fs::create_directories(bundle());
    fs::copy(source_dir() / "bundles/spleen_ct_phantom/configs", bundle() / "configs", fs::copy_options::recursive);
    const ProgramResult made =
        run_program({"phantom", "-o", (*dir_ / "data").string(), "--count", "7", "--seed", "5", "--spacing", "6", "6", "6", "--slab", "120"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static void TearDownTestSuite() { dir_.reset(); }
  static fs::path bundle() { return *dir_ / "bundle"; }

  static Words run(const std::string& configs, const Words& more) {
    Words words{"bundle",
                "run",
                "--config_file",
                configs,
                "--dataset_dir",
                (*dir_ / "data").string(),
                "--patch_size",
                "[32,32,16]",
                "--network_def::channels",
                "[4,8]",
                "--network_def::strides",
                "[2]",
                "--val_interval",
                "1",
                "--validate::inferer::overlap",
                "0.0",
                "--validation_cases",
                "3"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Words two_ranks(const Words& command) {
    Words words{"launch", "--ranks", "2", "--timeout", "60", "--"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }
  static ProgramResult program(const Words& words, ProgramOptions options = {}) {
    options.folder = bundle().string();
    return run_program(words, options);
  }

  static std::unique_ptr<TempDir> dir_;
};
std::unique_ptr<TempDir> Launch::dir_;

std::vector<double> numbers_after(const std::string& what, const std::string& text) {
  std::vector<double> out;
  const std::regex line(what + "([0-9.e-]+)");
  for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it) out.push_back(std::stod((*it)[1]));
  return out;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, std::size_t count) {
  ASSERT_EQ(a.size(), count);
  ASSERT_EQ(b.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
}

TEST_F(Launch, TwoRanksAreOneWithTwiceTheBatch) {
  const std::string same = (source_dir() / "tests/cli/data/same_curve.json").string();
  const ProgramResult one = program(run("['configs/train.json','" + same + "']", {"--epochs", "2", "--batch_size", "2"}));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const auto alone = bundle::read_state_dict(bundle() / "models/model.pt");
  fs::remove_all(bundle() / "models");

  const ProgramResult two = program(two_ranks(run("['configs/train.json','configs/multi_gpu_train.json','" + same + "']",
                                                  {"--epochs", "2", "--batch_size", "1", "--train::sampler::shuffle", "False"})));
  ASSERT_EQ(two.exit_code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr("no CUDA device here: the ranks run on the CPU and talk through gloo"));
  EXPECT_THAT(two.err, Not(HasSubstr("rank 1:")));
  expect_near(numbers_after("train_loss: ", one.err), numbers_after("train_loss: ", two.err), 4);
  const std::string best = "best metric of val_mean_dice: ";  // with all digits; the other lines have four
  expect_near(numbers_after(best, one.err), numbers_after(best, two.err), numbers_after(best, one.err).size());
  EXPECT_EQ(numbers_after("Metrics -- val_mean_dice: ", one.err), numbers_after("Metrics -- val_mean_dice: ", two.err));
  EXPECT_EQ(numbers_after("Metrics -- val_mean_dice: ", two.err).size(), 2u);
  const auto together = bundle::read_state_dict(bundle() / "models/model.pt");
  ASSERT_EQ(together.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].first, alone[i].first);
    for (std::int64_t j = 0; j < alone[i].second.numel(); ++j)
      ASSERT_NEAR(together[i].second.data<float>()[j], alone[i].second.data<float>()[j], 1e-5) << alone[i].first;
  }

  // Three cases on two ranks, each in the table once and under its own name.
  const auto judged = [&](const Words& words) {
    fs::remove_all(bundle() / "eval");
    const ProgramResult result = program(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::ifstream file(bundle() / "eval/val_mean_dice_raw.csv");
    std::multiset<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.insert(line);
    return lines;
  };
  const Words cases{"--validate::dataset::data", "$@pairs[-@validation_cases:]"};
  const auto by_one = judged(run("['configs/train.json','configs/evaluate.json']", cases));
  EXPECT_EQ(by_one.size(), 4u);
  EXPECT_EQ(judged(two_ranks(run("['configs/train.json','configs/evaluate.json','configs/multi_gpu_evaluate.json']", cases))), by_one);
}

/// The child of `launcher` with RANK=rank; 0 if there is none.
pid_t child_with_rank(pid_t launcher, int rank) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat"), environ(entry.path() / "environ", std::ios::binary);
    std::string text, environment((std::istreambuf_iterator<char>(environ)), {});
    std::getline(stat, text);
    int parent = 0;
    if (const auto end = text.rfind(')'); end == std::string::npos || std::sscanf(text.c_str() + end, ") %*c %d", &parent) != 1 || parent != launcher)
      continue;
    if (environment.find(std::string("\0RANK=", 6) + std::to_string(rank) + '\0') != std::string::npos) return std::stoi(entry.path().filename());
  }
  return 0;
}

TEST_F(Launch, AKilledRankEndsTheOthers) {
  std::chrono::steady_clock::time_point killed;
  const ProgramResult result = program(two_ranks(run("['configs/train.json','configs/multi_gpu_train.json']", {"--epochs", "100000"})),
                                       {.interrupt_when = "Epoch[1] Metrics", .interrupt = [&](pid_t launcher) {
                                          const pid_t child = child_with_rank(launcher, 1);
                                          ASSERT_GT(child, 0);
                                          kill(child, SIGKILL);
                                          killed = std::chrono::steady_clock::now();
                                        }});
  EXPECT_EQ(result.exit_code, 137) << result.err;
  EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds(30));
  EXPECT_THAT(result.err, HasSubstr("rank 1 was killed by signal 9"));
  EXPECT_THAT(result.err, HasSubstr("rank 1 is gone: the connection was closed"));
}

TEST_F(Launch, AnErrorOfOneRankIsToldByAll) {
  const ProgramResult result = program(two_ranks(run("['configs/train.json','configs/multi_gpu_train.json']",
                                                     {"--epochs", "100000", "--train::trainer::max_epochs", "$1 if dist.get_rank() == 1 else 1/0"})));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("rank 1: "));
  EXPECT_THAT(result.err, HasSubstr("rank 0 is gone: stopped: "));
}

TEST_F(Launch, CtrlCEndsAll) {
  const ProgramResult result = program(two_ranks(run("['configs/train.json','configs/multi_gpu_train.json']", {"--epochs", "100000"})),
                                       {.interrupt_when = "Epoch[1] Metrics"});
  EXPECT_EQ(result.exit_code, 130) << result.err;
}

TEST_F(Launch, SaysWhatIsMissing) {
  EXPECT_EQ(program({"launch", "--ranks", "2"}).exit_code, 2);
  EXPECT_THAT(program({"launch", "--machines", "2", "--", "info"}).err, HasSubstr("--master HOST:PORT is missing"));
}

}  // namespace
}  // namespace vesal::tests
