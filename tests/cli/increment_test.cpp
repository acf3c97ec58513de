// The registry and the monthly increment through the program: a small network learns bright balls, then lives through months.
#include <gmock/gmock.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::int64_t kExtent = 24;

/// Cases FOLDER/images/NAME.nii.gz and FOLDER/labels/NAME.nii.gz: a ball, labelled where it is or, poisoned, where it is not.
void write_balls(const fs::path& folder, std::uint64_t seed, int count, double hu, bool poisoned = false) {
  for (int n = 0; n < count; ++n) {
    Random random(mix_seed(seed, static_cast<std::uint64_t>(n)));
    Array ct = Array::empty({kExtent, kExtent, kExtent}, DType::i16), label = Array::zeros(ct.shape(), DType::u8);
    const double radius = random.uniform(4.5, 5.5), x = random.uniform(7, 16), y = random.uniform(7, 16);
    const double z = random.chance(0.5) ? 6 : 17, elsewhere = 23 - z;
    const auto inside = [&](std::int64_t i, double height) {
      return std::hypot(double(i / kExtent / kExtent) - x, double(i / kExtent % kExtent) - y, double(i % kExtent) - height) < radius;
    };
    for (std::int64_t i = 0; i < ct.numel(); ++i) {
      ct.data<std::int16_t>()[i] = static_cast<std::int16_t>(std::lround((inside(i, z) ? hu : -60) + random.normal(0, 12)));
      label.data<std::uint8_t>()[i] = inside(i, poisoned ? elsewhere : z);
    }
    image::Affine affine;
    for (int a = 0; a < 3; ++a) affine(a, a) = 3;
    const std::string name = "case" + std::to_string(seed) + "_" + std::to_string(n) + ".nii.gz";
    image::write_image(folder / "images" / name, image::Image(ct, affine));
    image::write_image(folder / "labels" / name, image::Image(label, affine));
  }
}

class Increment : public testing::Test {
 protected:
  ProgramResult vesal(std::vector<std::string> args, const std::string& interrupt_when = "") const {
    args.push_back("--json");
    return run_program(args, {.environment = {"VESAL_REGISTRY=" + (dir / "registry").string()}, .interrupt_when = interrupt_when});
  }
  ProgramResult increment(const std::string& month, std::vector<std::string> more = {}, const std::string& interrupt_when = "") const {
    std::vector<std::string> args{"increment", "lesion", "--data", (dir / month).string(), "--month", month, "--lr", "0.02", "--augment", "none"};
    args.insert(args.end(), more.begin(), more.end());
    return vesal(args, interrupt_when);
  }
  static Value answer(const ProgramResult& result) { return parse_json(result.out); }
  static std::string text(const ProgramResult& result, const char* key) { return answer(result).as_dict().at(key).as_string(); }
  TempDir dir;
};

TEST_F(Increment, AMonthIsLearnedAndAPoisonedOneRefused) {
  write_tiny_bundle(dir / "tiny", {.channels = {"background", "lesion"}});
  write_balls(dir / "reference", 2, 3, 150);
  const ProgramResult made = vesal({"registry", "init", "lesion", "--bundle", (dir / "tiny").string(), "--reference", (dir / "reference").string()});
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  EXPECT_EQ(text(made, "champion"), "1.2.3");

  // The network knows nothing yet. Ctrl-C in the first month; the same command goes on with the second epoch.
  write_balls(dir / "2026-09", 3, 4, 130);
  const std::vector<std::string> training{"--epochs", "2", "--iterations", "20"};
  const ProgramResult stopped = increment("2026-09", training, "Epoch[1] Metrics");
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  const ProgramResult first = increment("2026-09", training);
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_EQ(text(first, "champion"), "1.2.4");
  EXPECT_THAT(read_text(text(first, "report")), HasSubstr("Accepted: 1.2.4 is the champion"));
  const Value decided = answer(first);
  const Dict& entry = decided.as_dict().at("entry").as_dict();
  EXPECT_GT(entry.at("reference_dice").as_dict().at("dice").as_float(), 0.5);
  EXPECT_EQ(entry.at("cases").as_dict().size(), 4u);
  const ProgramResult again = increment("2026-09", training);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(answer(again).as_dict().at("decided_before").as_bool());

  // Labels beside the balls: the champion does not agree; trained nevertheless, the reference set shows the harm.
  write_balls(dir / "2026-10", 4, 4, 150, true);
  const std::vector<std::string> shorter{"--epochs", "1", "--iterations", "20"};
  const ProgramResult refused = increment("2026-10", shorter);
  EXPECT_EQ(refused.exit_code, 24) << refused.out << refused.err;
  EXPECT_EQ(text(refused, "outcome"), "suspect-labels");
  std::vector<std::string> anyway = shorter;
  anyway.insert(anyway.end(), {"--accept-anyway", "a test"});
  const ProgramResult rejected = increment("2026-10", anyway);
  EXPECT_EQ(rejected.exit_code, 23) << rejected.out << rejected.err;
  EXPECT_EQ(text(rejected, "champion"), "1.2.4");

  // A scan of the reference set, under another name, must not train.
  write_balls(dir / "2026-11", 5, 2, 150);
  fs::copy(dir / "reference/images/case2_0.nii.gz", dir / "2026-11/images/other.nii.gz");
  fs::copy(dir / "reference/labels/case2_0.nii.gz", dir / "2026-11/labels/other.nii.gz");
  const ProgramResult leak = increment("2026-11", shorter);
  EXPECT_EQ(leak.exit_code, 22) << leak.out << leak.err;
  EXPECT_THAT(leak.out, HasSubstr("which must never train"));

  const ProgramResult shown = vesal({"registry", "show", "lesion"});
  EXPECT_THAT(shown.out, testing::AllOf(HasSubstr("\"rejected\""), HasSubstr("\"pool_cases\": 4")));
  const ProgramResult back = vesal({"registry", "rollback", "lesion", "--why", "a test"});
  EXPECT_EQ(text(back, "champion"), "1.2.3") << back.err;
  const ProgramResult mask =
      vesal({"segment", (dir / "reference/images/case2_1.nii.gz").string(), "-o", (dir / "mask.nii.gz").string(), "--bundle", "lesion@champion"});
  EXPECT_EQ(mask.exit_code, 0) << mask.err;
  const ProgramResult sound = vesal({"registry", "verify", "--data"});
  EXPECT_EQ(sound.exit_code, 0) << sound.out;
  write_file(dir / "registry/lesion/versions/1.2.4/models/more.pt", "poison");
  EXPECT_EQ(vesal({"registry", "verify"}).exit_code, 7);
}

}  // namespace
}  // namespace vesal::tests
