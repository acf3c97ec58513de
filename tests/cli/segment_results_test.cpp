// vesal segment's outputs beside the mask: several at once, on a real DICOM series and on files.
#include <gmock/gmock.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "dicom/segmentation.h"
#include "image/formats.h"
#include "image/mesh.h"
#include "image/phantom.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(SegmentResults, EveryKindOfARealSeriesAgreesWithTheMask) {
  const fs::path series = fs::path(VESAL_SOURCE_DIR) / "../shared/data/ct_dicom/series";
  if (!fs::exists(series)) GTEST_SKIP() << "no ../shared/data";
  const TempDir dir;
  const ProgramResult r = run_program({"segment", series.string(), "-o", (dir / "out").string(), "--write",
                                       "nifti,seg,rtstruct,sr,sc,pdf,report,stl,obj,glb", "--report", (dir / "report.json").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Value report = parse_json(read_text(dir / "report.json"));
  const Value& scan = report.as_dict().at("cases").items().at(0);
  EXPECT_EQ(scan.as_dict().at("outputs").items().size(), 10u);
  const double ml = scan.as_dict().at("labels").items().at(0).as_dict().at("ml").as_float();
  EXPECT_GT(ml, 100);
  for (const char* name : {"series.nii.gz", "series.seg.dcm", "series.rtstruct.dcm", "series.sr.dcm", "series.sc.dcm", "series.pdf.dcm", "series.pdf",
                           "series_spleen.stl", "series.obj", "series.glb"})
    EXPECT_TRUE(fs::exists(dir / "out" / name)) << name;
  EXPECT_NEAR(dicom::read_segmentation(dir / "out/series.seg.dcm").at(1).ml, ml, 1e-6 * ml);
  for (const char* name : {"series_spleen.stl", "series.obj", "series.glb"}) {
    const fs::path file = dir / "out" / name;
    EXPECT_NEAR(image::facts_of(image::decode_meshes(file.extension().string(), read_text(file)).at(0)).ml, ml, 0.01 * ml) << name;
  }

  // The same again is the same object, byte for byte but for the time it was made.
  const ProgramResult again = run_program({"segment", series.string(), "-o", (dir / "again.dcm").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(fs::file_size(dir / "again.dcm"), fs::file_size(dir / "out/series.seg.dcm"));
}

class SegmentOutputs : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_bundle(dir / "tiny");
    image::Image scan = image::make_phantom(3, {.spacing = {3, 3.5, 4}, .orientation = "RAS", .slab_mm = 80}).ct;
    image::write_image(dir / "scan.nii.gz", scan.with(scan.array().slice(0, 30, 50).slice(1, 20, 38).slice(2, 2, 18).contiguous()),
                       {.dtype = DType::i16});
  }
  ProgramResult segment(std::vector<std::string> args) {
    args.insert(args.begin(), {"segment", "--bundle", (dir / "tiny").string(), (dir / "scan.nii.gz").string()});
    return run_program(args);
  }
  std::string at(const std::string& name) const { return (dir / name).string(); }
  TempDir dir;
};

TEST_F(SegmentOutputs, MeshesAndReportsOfAnyScan) {
  const ProgramResult r = segment({"-o", at("mask.nii.gz"), "-o", at("a.glb"), "-o", at("a.pdf")});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  for (const char* name : {"mask.nii.gz", "a.glb", "a.pdf"}) EXPECT_TRUE(fs::exists(dir / name)) << name;
  EXPECT_THAT(r.out, HasSubstr("a.glb"));
}

TEST_F(SegmentOutputs, DicomOfAFileThatIsNoneIsRefused) {
  const ProgramResult r = segment({"-o", at("a.seg.dcm")});
  EXPECT_NE(r.exit_code, 0);
  EXPECT_THAT(r.err, HasSubstr("scan that is DICOM"));
  EXPECT_FALSE(fs::exists(dir / "a.seg.dcm"));
}

TEST_F(SegmentOutputs, WhatMakesNoSenseIsSaidBeforeAnythingRuns) {
  struct Row {
    std::vector<std::string> args;
    const char* words;
  };
  for (const Row& row : std::vector<Row>{{{"-o", at("a.sr.dcm")}, "write that too"},
                                         {{"-o", at("a.nii.gz"), "-o", at("b.nii.gz")}, "one image of the mask"},
                                         {{"-o", at("a.glb"), "-o", at("a.glb")}, "asked for twice"},
                                         {{"-o", at("a.glb"), "-o", at("folder")}, "each has to be a file"},
                                         {{"-o", at("out"), "--write", "segg"}, "did you mean seg"},
                                         {{"-o", at("out.nii.gz"), "--write", "seg"}, "wants a folder"},
                                         {{"-o", at("a.xyz")}, "nothing that can be written"},
                                         {{"-o", at("a.glb"), "--codes", at("none.json")}, "none.json"}}) {
    const ProgramResult r = segment(row.args);
    EXPECT_NE(r.exit_code, 0) << row.words;
    EXPECT_THAT(r.err, HasSubstr(row.words));
    EXPECT_FALSE(fs::exists(dir / "a.glb"));
  }
}

}  // namespace
}  // namespace vesal::tests
