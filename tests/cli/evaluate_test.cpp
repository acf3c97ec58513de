// vesal evaluate and vesal dataset check, as a user runs them, with the built-in bundle.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cli/program.h"
#include "image/formats.h"
#include "image/phantom.h"
#include "judge/scoring.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A phantom with all its labels, in a slab around the spleen.
void write_case(const fs::path& folder, const std::string& name, std::uint64_t seed) {
  const image::Phantom p = image::make_phantom(seed, {.spacing = {4, 4, 6}, .orientation = "LPS", .slab_mm = 80});
  image::write_image(folder / "images" / (name + ".nii.gz"), p.ct, {.dtype = DType::i16});
  image::write_image(folder / "labels" / (name + ".nii.gz"), p.labels);
}

Dict json_of(const std::string& text) { return parse_json(text).as_dict(); }

TEST(Evaluate, JudgesReportsAndEndsWithTheVerdict) {
  const TempDir dir;
  write_case(dir / "data", "a", 5003);
  write_case(dir / "data", "b", 5004);
  write_file(dir / "data/images/c.nii.gz", "damaged");
  fs::copy_file(dir / "data/labels/a.nii.gz", dir / "data/labels/c.nii.gz");
  const std::string data = (dir / "data").string(), report = (dir / "report").string(), masks = (dir / "masks").string();
  const ProgramResult first =
      run_program({"evaluate", "--data", data, "--labels", "spleen", "-o", report, "--keep-masks", masks, "--gate", "0.9", "--lang", "vi"});
  EXPECT_EQ(first.exit_code, 5) << "a damaged file counts before the verdict";
  EXPECT_THAT(first.out, AllOf(HasSubstr("not judged c"), HasSubstr("verdict    too-few (gate 0.90, 2 cases judged, 5 wanted")));
  EXPECT_THAT(read_text(dir / "report/report.html"), AllOf(HasSubstr("Quá ít ca"), HasSubstr("data:image/png;base64,"), HasSubstr("--keep-masks")));
  EXPECT_THAT(read_text(dir / "report/cases.csv"), HasSubstr("b,,1,spleen,0."));
  const Dict found = json_of(read_text(dir / "report/report.json"));
  EXPECT_EQ(found.at("data").as_dict().at("failed").as_int(), 1);
  EXPECT_GT(found.at("dice").as_dict().at("mean").as_float(), 0.6);
  EXPECT_EQ(found.at("bundle").as_dict().at("weights_sha256").as_string(), sha256_file(source_dir() / "bundles/spleen_ct_phantom/models/model.pt"));
  EXPECT_TRUE(found.at("cases").items().at(2).as_dict().at("dice").is_none());

  // The same masks judged again, without the network: the same numbers.
  fs::remove(dir / "data/images/c.nii.gz");
  fs::remove(dir / "data/labels/c.nii.gz");
  const ProgramResult again =
      run_program({"evaluate", "--data", data, "--labels", "1", "--masks", masks, "--gate", "0.99", "--min-cases", "2", "--json"});
  EXPECT_EQ(again.exit_code, 20) << again.err;
  const Dict same = json_of(again.out);
  EXPECT_EQ(same.at("gate").as_dict().at("verdict").as_string(), "fine-tune");
  EXPECT_EQ(same.at("dice").as_dict().at("mean").as_float(), found.at("dice").as_dict().at("mean").as_float());

  const ProgramResult unmapped = run_program({"evaluate", "--bundle", "spleen_ct_phantom", "--data", data, "--masks", masks, "--gate", "0.3",
                                              "--min-cases", "2", "-o", (dir / "r.csv").string()});
  EXPECT_EQ(unmapped.exit_code, 0) << unmapped.err;
  EXPECT_THAT(unmapped.out, AllOf(HasSubstr("are no class of the bundle"), HasSubstr("verdict    use")));
  EXPECT_TRUE(fs::exists(dir / "r.csv"));
}

TEST(Evaluate, RefusesWhatMakesNoSense) {
  const TempDir dir;
  const std::string out = (dir / "x.docx").string();
  const ProgramResult type = run_program({"evaluate", "--data", dir.path().string(), "-o", out});
  EXPECT_EQ(type.exit_code, 2);
  EXPECT_THAT(type.err, HasSubstr(".html, .json or .csv"));
  const ProgramResult none = run_program({"evaluate", "--data", dir.path().string(), "--gate", "0.9"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("no scan with a label"));
}

TEST(DatasetCheck, FindsRepairsAndSaysSo) {
  const TempDir dir;
  write_case(dir / "data", "a", 5003);
  write_case(dir / "data", "b", 5004);
  const std::string data = (dir / "data").string();
  const std::vector<std::string> check{"dataset", "check", data, "--bundle", "spleen_ct_phantom", "--labels", "spleen", "--modality", "CT"};
  const ProgramResult clean = run_program(check);
  EXPECT_EQ(clean.exit_code, 0) << clean.out << clean.err;
  EXPECT_THAT(clean.out, HasSubstr("2 training cases, 0 validation cases (folders): 0 errors, 0 warnings"));

  for (const char* kind : {"images", "labels"}) {
    const fs::path file = dir / "data" / kind / "a.nii.gz";
    image::Image image = image::read_image(file);
    image.affine = image::Affine::scale(-1, -1, 1) * image.affine;
    image::write_image(file, image);
  }
  std::vector<std::string> fix = check;
  fix.insert(fix.end(), {"--fix", (dir / "fixed").string(), "--json"});
  const ProgramResult wrong = run_program(check), fixed = run_program(fix);
  EXPECT_EQ(wrong.exit_code, 22);
  EXPECT_THAT(wrong.out, AllOf(HasSubstr("anatomy"), HasSubstr("LPS while the header says RAS"), HasSubstr("[--fix]")));
  EXPECT_EQ(fixed.exit_code, 0) << fixed.out << fixed.err;
  const Dict report = json_of(fixed.out);
  EXPECT_FALSE(report.at("passes").as_bool());
  EXPECT_TRUE(report.at("fixed").as_dict().at("passes").as_bool());
  const image::Image label = image::read_image(dir / "fixed/labelsTr/a.nii.gz");
  EXPECT_EQ(judge::labels_in(label.array()), (std::set<std::int64_t>{0, 1})) << "only the spleen is left";
}

}  // namespace
}  // namespace vesal::tests
