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
    std::vector<std::string> args{"increment",    "lesion", "--data",   (dir / month).string(),
                                  "--month",      month,    "--epochs", "3",
                                  "--iterations", "20",     "--lr",     "0.01",
                                  "--augment",    "none",   "--margin", "0.02"};
    args.insert(args.end(), more.begin(), more.end());
    return vesal(args, interrupt_when);
  }
  TempDir dir;
};

TEST_F(Increment, MonthsAreLearnedOrRefused) {
  write_tiny_bundle(dir / "tiny", {.channels = {"background", "lesion"}});
  write_balls(dir / "train", 1, 6);
  write_balls(dir / "reference", 2, 5);
  const ProgramResult tuned = vesal({"finetune", "--bundle", (dir / "tiny").string(), "--data", (dir / "train").string(), "-o",
                                     (dir / "start").string(), "--epochs", "4", "--iterations", "40", "--lr", "0.01", "--augment", "none"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  std::cout << tuned.out << tuned.err;
  const ProgramResult made = vesal({"registry", "init", "lesion", "--bundle", (dir / "start").string(), "--reference", (dir / "reference").string(),
                                    "--pool", (dir / "train").string()});
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  std::cout << made.out << made.err;

  write_balls(dir / "2026-09", 3, 6, {.bright = 110, .dim = 20});
  const ProgramResult first = increment("2026-09");
  std::cout << first.out << first.err;
  write_balls(dir / "2026-10", 4, 4, {.wrong_ball = true});
  const ProgramResult wrong = increment("2026-10");
  std::cout << wrong.out << wrong.err;
  const ProgramResult anyway = increment("2026-10", {"--accept-anyway", "a test"});
  std::cout << anyway.out << anyway.err;
}

}  // namespace
}  // namespace vesal::tests
