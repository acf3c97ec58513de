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

/// What a month's scans look like, and which of the two balls its labels mean.
struct Look {
  double bright = 150, dim = 40, noise = 12;
  bool wrong_ball = false;
};

/// Cases FOLDER/images/NAME.nii.gz and FOLDER/labels/NAME.nii.gz: a bright ball, which is the lesion, and a dim one.
void write_balls(const fs::path& folder, std::uint64_t seed, int count, const Look& look = {}) {
  for (int n = 0; n < count; ++n) {
    Random random(mix_seed(seed, static_cast<std::uint64_t>(n)));
    Array ct = Array::empty({kExtent, kExtent, kExtent}, DType::i16), label = Array::zeros(ct.shape(), DType::u8);
    const double r[2] = {random.uniform(4, 5.5), random.uniform(4, 5.5)};
    const double at[2][3] = {{random.uniform(6, 17), random.uniform(6, 17), 6.5}, {random.uniform(6, 17), random.uniform(6, 17), 17.5}};
    const int up = random.chance(0.5);
    for (std::int64_t i = 0; i < ct.numel(); ++i) {
      const double p[3] = {double(i / kExtent / kExtent), double(i / kExtent % kExtent), double(i % kExtent)};
      double hu = -60;
      for (int b = 0; b < 2; ++b) {
        const double* c = at[(b + up) % 2];
        if (std::hypot(p[0] - c[0], p[1] - c[1], p[2] - c[2]) > r[b]) continue;
        hu = b == 0 ? look.bright : look.dim;
        if ((b == 1) == look.wrong_ball) label.data<std::uint8_t>()[i] = 1;
      }
      ct.data<std::int16_t>()[i] = static_cast<std::int16_t>(std::lround(hu + random.normal(0, look.noise)));
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
  write_balls(dir / "reference", 2, 4);
  const ProgramResult made = vesal({"registry", "init", "lesion", "--bundle", (dir / "tiny").string(), "--reference", (dir / "reference").string()});
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  EXPECT_EQ(text(made, "champion"), "1.2.3");

  // The network knows nothing yet: a first month makes it better, Ctrl-C in between or not.
  write_balls(dir / "2026-09", 3, 5, {.bright = 130});
  const std::vector<std::string> training{"--epochs", "2", "--iterations", "30"};
  const ProgramResult stopped = increment("2026-09", training, "Epoch[1] Metrics");
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  const ProgramResult first = increment("2026-09", training);
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_EQ(text(first, "champion"), "1.2.4");
  const ProgramResult again = increment("2026-09", training);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("\"decided_before\": true"));
  std::cout << first.out << first.err;

  write_balls(dir / "2026-10", 4, 4, {.wrong_ball = true});
  const std::vector<std::string> short_training{"--epochs", "1", "--iterations", "20"};
  const ProgramResult refused = increment("2026-10", short_training);
  std::cout << refused.out << refused.err;
  EXPECT_EQ(refused.exit_code, 24);
  std::vector<std::string> anyway = short_training;
  anyway.insert(anyway.end(), {"--accept-anyway", "a test"});
  const ProgramResult rejected = increment("2026-10", anyway);
  EXPECT_EQ(rejected.exit_code, 23) << rejected.out;
  std::cout << rejected.out << rejected.err;
}

}  // namespace
}  // namespace vesal::tests
