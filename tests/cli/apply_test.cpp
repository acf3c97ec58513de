// vesal bundle apply and demo, as a user runs them.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "image/npy.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Apply : public ::testing::Test {
 protected:
  Apply() {
    write_tiny_bundle(dir / "tiny");
    Array voxels = Array::zeros({12, 10, 8}, DType::i16);
    for (std::int64_t i = 0; i < voxels.numel(); ++i) voxels.data<std::int16_t>()[i] = static_cast<std::int16_t>(i % 200);
    image::Affine affine;
    affine(0, 0) = -6, affine(1, 1) = -6, affine(2, 2) = 6;
    affine(0, 3) = 20, affine(1, 3) = -30, affine(2, 3) = 5;
    image::write_image(scan, image::Image(voxels, affine));
  }
  ProgramResult apply(const std::string& ids, std::vector<std::string> inputs) {
    std::vector<std::string> args{"bundle", "apply", "--config_file", (dir / "tiny/configs/inference.json").string(), "--id",
                                  ids,      "-o",    out.string()};
    for (const std::string& input : inputs) args.insert(args.end(), {"--input", input});
    return run_program(args, {.folder = dir.path().string()});
  }
  TempDir dir;
  const fs::path scan = dir / "scan.nii.gz", out = dir / "out";
};

TEST_F(Apply, LeavesWhatTheNetworkSees) {
  const ProgramResult r = apply("preprocessing", {"image=" + scan.string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Array image = image::read_npy(out / "image.npy");
  EXPECT_EQ(image.shape(), (Shape{1, 23, 19, 15}));
  EXPECT_EQ(image.dtype(), DType::f32);
  const Value facts = parse_json(read_text(out / "image.json"));
  EXPECT_EQ(facts.as_dict().at("dtype"), Value("float32"));
  EXPECT_EQ(facts.as_dict().at("shape").repr(), "[1, 23, 19, 15]");
  EXPECT_EQ(facts.as_dict().at("spacing").repr(), "[3.0, 3.0, 3.0]");
  const auto& rows = facts.as_dict().at("affine").items();
  EXPECT_DOUBLE_EQ(rows[0].items()[0].as_float(), 3);
  EXPECT_DOUBLE_EQ(rows[0].items()[3].as_float(), 20 - 11 * 6);
  // The corner of the RAS image is the last voxel along the scan's first two axes; HU are scaled from [-160, 240] to [0, 1].
  const double hu = image::read_image(scan).array().at({11, 9, 0});
  EXPECT_NEAR(image.at({0, 0, 0, 0}), (hu + 160) / 400, 1e-6);
}

TEST_F(Apply, TakesAPredictionBackToTheScansGrid) {
  // Probabilities that say "1" on the left half of the patient: x < 12 of 23 in RAS, the scan's own x runs the other way.
  Array pred = Array::zeros({2, 23, 19, 15}, DType::f32);
  pred.select(0, 0).fill(0.0);
  pred.select(0, 1).slice(0, 0, 12).fill(5.0);
  pred.select(0, 1).slice(0, 12, 23).fill(-5.0);
  image::write_npy(dir / "pred.npy", pred);
  const ProgramResult r = apply("preprocessing,postprocessing", {"image=" + scan.string(), "pred=" + (dir / "pred.npy").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Array labels = image::read_npy(out / "pred.npy");
  ASSERT_EQ(labels.shape(), (Shape{1, 12, 10, 8}));
  for (std::int64_t x = 0; x < 12; ++x) EXPECT_EQ(labels.at({0, x, 4, 4}), x >= 6 ? 1 : 0) << x;
  EXPECT_EQ(image::read_npy(out / "image.npy").shape(), (Shape{1, 23, 19, 15}));
  const Value facts = parse_json(read_text(out / "pred.json"));
  EXPECT_DOUBLE_EQ(facts.as_dict().at("affine").items()[0].items()[0].as_float(), -6);
  EXPECT_FALSE(fs::exists(dir / "eval")) << "SaveImaged is left out";
}

TEST_F(Apply, NamesWhatIsWrong) {
  EXPECT_EQ(apply("preprocessing", {"image=" + (dir / "none.nii.gz").string()}).exit_code, 3);
  EXPECT_EQ(apply("preprocessing", {"image"}).exit_code, 2);
  const ProgramResult unknown = apply("prepocessing", {"image=" + scan.string()});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("prepocessing"));
  EXPECT_FALSE(fs::exists(out / "image.npy"));
}

TEST_F(Apply, TheDemoLeavesScanTruthMaskPictureAndReport) {
  TinyBundle coarse;
  const std::string spacing = "[3.0, 3.0, 3.0]";
  coarse.preprocessing.replace(coarse.preprocessing.find(spacing), spacing.size(), "[9.0, 9.0, 9.0]");
  write_tiny_bundle(dir / "coarse", coarse);
  const ProgramResult r = run_program({"demo", "-o", out.string(), "--bundle", (dir / "coarse").string(), "--seed", "5003"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  for (const char* word : {"Dice", "ml found", "peak memory", "not for diagnosis"}) EXPECT_THAT(r.out, HasSubstr(word));
  for (const char* name : {"ct.nii.gz", "truth.nii.gz", "mask.nii.gz", "overlay.png", "report.json"}) EXPECT_TRUE(fs::exists(out / name)) << name;
  const Value parsed = parse_json(read_text(out / "report.json"));
  const Dict& report = parsed.as_dict();
  const image::Image truth = image::read_image(out / "truth.nii.gz"), mask = image::read_image(out / "mask.nii.gz");
  ASSERT_EQ(truth.shape(), mask.shape());
  const Array a = truth.array().contiguous(), b = mask.array().contiguous();
  double both = 0, one = 0, other = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const bool is_there = a.data<std::uint8_t>()[i] == 1, is_found = b.data<std::uint8_t>()[i] == 1;
    both += is_there && is_found, one += is_there, other += is_found;
  }
  EXPECT_GT(one, 0);
  EXPECT_NEAR(report.at("dice").as_float(), 2 * both / (one + other), 1e-9);
  const auto mm = image::spacing_of(truth.affine);
  EXPECT_NEAR(report.at("true_spleen_ml").as_float(), one * mm[0] * mm[1] * mm[2] / 1000, 1e-3);
  EXPECT_NEAR(report.at("spleen_ml").as_float(), other * mm[0] * mm[1] * mm[2] / 1000, 1e-3 * other);
}

TEST_F(Apply, InfoDescribesABundle) {
  const ProgramResult r = run_program({"info", (dir / "tiny").string(), "--json"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Value parsed = parse_json(r.out);
  const Dict& facts = parsed.as_dict();
  EXPECT_EQ(facts.at("kind"), Value("bundle"));
  EXPECT_EQ(facts.at("name"), Value("tiny"));
  EXPECT_EQ(facts.at("network"), Value("UNet"));
  EXPECT_EQ(facts.at("weights"), Value("models/model.pt"));
  EXPECT_EQ(facts.at("not_for_diagnosis"), Value(true));
  EXPECT_EQ(facts.at("missing").repr(), "['LICENSE']");
  EXPECT_EQ(facts.at("outputs").as_dict().at("1"), Value("spleen"));
}

}  // namespace
}  // namespace vesal::tests
