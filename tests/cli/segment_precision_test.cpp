// vesal segment --precision: what it takes, what it says, and that masks stay the same but for a voxel here and there.
#include <gmock/gmock.h>

#include "base/json.h"
#include "cli/program.h"
#include "image/formats.h"
#include "kernels/convolution_bf16.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string precision_of(const fs::path& scan, const fs::path& mask, std::vector<std::string> more) {
  std::vector<std::string> args{"segment", scan.string(), "-o", mask.string(), "--json"};
  args.insert(args.end(), more.begin(), more.end());
  const ProgramResult r = run_program(args);
  EXPECT_EQ(r.exit_code, 0) << r.err;
  return r.exit_code == 0 ? parse_json(r.out).as_dict().at("precision").as_string() : "";
}

double dice(const fs::path& a, const fs::path& b) {
  const Array x = image::read_image(a).array().to(DType::u8).contiguous(), y = image::read_image(b).array().to(DType::u8).contiguous();
  EXPECT_EQ(x.shape(), y.shape());
  double both = 0, sum = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const int p = x.data<std::uint8_t>()[i] > 0, q = y.data<std::uint8_t>()[i] > 0;
    both += p & q, sum += p + q;
  }
  return 2 * both / sum;
}

class SegmentPrecision : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz"); }
  const fs::path scan_ = shared("ct_3mm/ct.nii.gz");
  TempDir folder_;
};

TEST_F(SegmentPrecision, Bfloat16KeepsTheMask) {
  if (!kernels::has_bf16()) GTEST_SKIP() << "no bfloat16 instructions here";
  for (const char* name : {"ct_3mm/ct.nii.gz", "ct_dicom/ct.nii.gz"}) {
    EXPECT_EQ(precision_of(shared(name), folder_ / "exact.nii.gz", {"--precision", "fp32"}), "fp32");
    EXPECT_EQ(precision_of(shared(name), folder_ / "rounded.nii.gz", {"--precision", "bf16"}), "bf16");
    EXPECT_GE(dice(folder_ / "exact.nii.gz", folder_ / "rounded.nii.gz"), 0.999) << name;
  }
}

TEST_F(SegmentPrecision, AutoDoesWhatTheBundleAsksFor) {
  const fs::path mask = folder_ / "mask.nii.gz";
  EXPECT_EQ(precision_of(scan_, mask, {}), "fp32");
  EXPECT_EQ(precision_of(scan_, mask, {"--override", "evaluator::amp=True"}), kernels::has_bf16() ? "bf16" : "fp32");
  EXPECT_EQ(precision_of(scan_, mask, {"--override", "evaluator::amp=True", "--precision", "fp32"}), "fp32");
}

TEST_F(SegmentPrecision, SaysWhatItCannotDo) {
  const std::vector<std::string> args{"segment", scan_.string(), "-o", (folder_ / "mask.nii.gz").string(), "--precision"};
  auto with = [&](const char* value) {
    std::vector<std::string> all = args;
    all.emplace_back(value);
    return all;
  };
  const ProgramResult wrong = run_program(with("fp8"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("precision fp8: want auto, fp32 or bf16"));
  const ProgramResult cannot = run_program(with("bf16"), {.environment = {"VESAL_SIMD=scalar"}});
  EXPECT_NE(cannot.exit_code, 0);
  EXPECT_THAT(cannot.err, HasSubstr("no bfloat16 instructions"));
}

}  // namespace
}  // namespace vesal::tests
