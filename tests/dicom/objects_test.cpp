// SEG and RTSTRUCT of a phantom in every orientation, read by vesal, by DCMTK and by pydicom.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmseg/segdoc.h>
#include <dcmtk/dcmseg/segment.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "dicom/made_series.h"
#include "dicom/segmentation.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;

class Objects : public ::testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_), fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::temp_directory_path() / ("vesal_objects_" + std::to_string(getpid()));
};

/// Runs a command and gives what it prints; fails the test if it fails.
std::string output_of(const std::string& command, bool must_succeed = true) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  const int status = pclose(pipe);
  if (must_succeed) EXPECT_EQ(status, 0) << command << "\n" << text;
  return text;
}

std::vector<std::string> all_orientations() {
  std::vector<std::string> out;
  std::array<int, 3> axes{0, 1, 2};
  do {
    for (int flips = 0; flips < 8; ++flips) {
      std::string codes;
      for (std::size_t i = 0; i < 3; ++i) codes += std::string(flips >> i & 1 ? "LPI" : "RAS")[static_cast<std::size_t>(axes[i])];
      out.push_back(codes);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
  return out;
}

TEST_F(Objects, EveryOrientationAndOrderKeepsVolumesAndPlaces) {
  struct Expected {
    results::Result result;
    fs::path file;
    bool contours;
  };
  std::vector<Expected> all;
  std::string arguments;
  for (const std::string& orientation : all_orientations())
    for (const bool last_first : {false, true}) {
      const fs::path at = folder_ / (orientation + (last_first ? "_r" : ""));
      testing::write_series(at / "scan", {.orientation = orientation, .last_first = last_first});
      const results::Result result = testing::result_on(testing::source_in(at / "scan"));
      ASSERT_EQ(result.segments.size(), 3u);
      // The same body in the world, whatever the orientation; its voxels differ, so volumes do a little.
      EXPECT_NEAR(result.segments[0].centroid[0], 9.5, 0.5) << orientation;
      EXPECT_NEAR(result.segments[0].centroid[1], -29.25, 0.5) << orientation;
      EXPECT_NEAR(result.segments[0].centroid[2], 408, 0.5) << orientation;
      for (const bool contours : {false, true}) {
        const fs::path file = at / (contours ? "a.rtstruct.dcm" : "a.seg.dcm");
        const results::ResultKind* kind = results::kind_of(file);
        ASSERT_NE(kind, nullptr);
        ASSERT_EQ(kind->name, contours ? "rtstruct" : "seg");
        results::write_result(*kind, file, result);
        ASSERT_TRUE(fs::exists(file));
        all.push_back({result, file, contours});
        arguments += " " + file.string();
      }
      const auto found = read_segmentation(at / "a.seg.dcm");
      ASSERT_EQ(found.size(), 3u);
      for (std::size_t s = 0; s < 3; ++s) {
        EXPECT_NEAR(found.at(static_cast<int>(s + 1)).ml, result.segments[s].ml, 1e-6);
        for (std::size_t i = 0; i < 3; ++i)
          EXPECT_NEAR(found.at(static_cast<int>(s + 1)).centroid[i], result.segments[s].centroid[i], 1e-3) << orientation;
      }
    }
  ASSERT_EQ(all.size(), 192u);
  if (std::system("/usr/bin/python3 -c 'import pydicom, numpy' 2>/dev/null") != 0) GTEST_SKIP() << "without python3-pydicom: pydicom was not asked";
  std::istringstream lines(output_of("/usr/bin/python3 " + std::string(VESAL_SOURCE_DIR) + "/tests/dicom/check_objects.py" + arguments));
  for (const Expected& e : all) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const Value found = parse_json(line);
    ASSERT_EQ(found.as_dict().size(), e.result.segments.size()) << e.file;
    for (std::size_t s = 0; s < e.result.segments.size(); ++s) {
      const Segment& segment = e.result.segments[s];
      const auto& values = found.as_dict().at(std::to_string(s + 1)).items();
      // Outlines cut the corners off pixels: half a pixel for each closed line, which is more the smaller it is; places stay.
      const double step = e.result.source->volume().step_along_normal(), pixel = 1.5 * 0.8 * 2.5 / step;
      if (!e.contours) EXPECT_NEAR(values[0].as_float(), segment.ml, 1e-6) << e.file;
      else if (segment.voxels > 1) EXPECT_NEAR(values[0].as_float() * step / 1000, segment.ml, 0.5 * pixel * step / 1000 * 40) << e.file;
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(values[i + 1].as_float(), segment.centroid[i], e.contours ? 0.2 : 1e-3) << e.file << " " << segment.name;
    }
  }
}

TEST_F(Objects, DcmtkReadsTheSegmentation) {
  testing::write_series(folder_ / "scan");
  const results::Result result = testing::result_on(testing::source_in(folder_ / "scan"));
  results::write_result(results::result_kind("seg"), folder_ / "a.dcm", result);
  DcmSegmentation* read = nullptr;
  ASSERT_TRUE(DcmSegmentation::loadFile((folder_ / "a.dcm").c_str(), read).good());
  const std::unique_ptr<DcmSegmentation> segmentation(read);
  ASSERT_EQ(segmentation->getNumberOfSegments(), 3u);
  OFString text;
  segmentation->getSegment(2)->getSegmentLabel(text);
  EXPECT_EQ(text, "kidney_left");
  segmentation->getSegment(2)->getSegmentedPropertyTypeCode().getCodeValue(text);
  EXPECT_EQ(text, "64033007");
  EXPECT_LT(segmentation->getNumberOfFrames(), 3u * 18u);  // only frames with something in them
}

TEST_F(Objects, ChannelsMayOverlap) {
  testing::write_series(folder_ / "scan");
  const results::Result result = testing::result_on(testing::source_in(folder_ / "scan"), true);
  results::write_result(results::result_kind("seg"), folder_ / "a.dcm", result);
  results::write_result(results::result_kind("rtstruct"), folder_ / "a.rtstruct.dcm", result);
  const auto found = read_segmentation(folder_ / "a.dcm");
  EXPECT_GT(found.at(2).ml, found.at(1).ml);
  EXPECT_EQ(result.segments[1].anatomy.type.scheme, "99VESAL");  // "whole tumor" is no organ's tumour
}

TEST_F(Objects, ALieIsNotWritten) {
  testing::write_series(folder_ / "scan");
  for (const char* kind : {"seg", "rtstruct", "sr"}) {
    results::Result result = testing::result_on(testing::source_in(folder_ / "scan"));
    if (std::string(kind) != "sr") {  // a report has no places
      result.segments[1].centroid[2] += 2;
      EXPECT_THROW(results::write_result(results::result_kind(kind), folder_ / "lie.dcm", result), Error) << kind;
      result.segments[1].centroid[2] -= 2;
    }
    result.segments[1].ml *= 1.02;
    if (std::string(kind) == "sr") continue;
    EXPECT_THROW(results::write_result(results::result_kind(kind), folder_ / "lie.dcm", result), Error) << kind;
    EXPECT_FALSE(fs::exists(folder_ / "lie.dcm"));
  }
}

TEST_F(Objects, NothingFoundIsAnObjectToo) {
  testing::write_series(folder_ / "scan");
  const auto source = testing::source_in(folder_ / "scan");
  image::Image mask = testing::labels_on(*source);
  mask = mask.with(Array::zeros(mask.shape(), DType::u8));
  bundle::BundleFacts facts;
  facts.name = "Empty";
  const results::Result result = results::make_result(mask, {{0, "background"}, {1, "spleen"}}, facts, source);
  results::write_result(results::result_kind("seg"), folder_ / "a.dcm", result);
  results::write_result(results::result_kind("rtstruct"), folder_ / "a.rtstruct.dcm", result);
  EXPECT_EQ(read_segmentation(folder_ / "a.dcm").at(1).ml, 0);
}

TEST_F(Objects, AgainIsTheSameObject) {
  testing::write_series(folder_ / "scan");
  const results::Result a = testing::result_on(testing::source_in(folder_ / "scan")), b = testing::result_on(testing::source_in(folder_ / "scan"));
  EXPECT_EQ(a.uid("seg"), b.uid("seg"));
  EXPECT_NE(a.uid("seg"), a.uid("rtstruct"));
  EXPECT_NE(a.uid("seg"), a.uid("seg", "series"));
  results::Result other = b;
  other.identity = "Made bundle 1.2.4";
  EXPECT_NE(a.uid("seg"), other.uid("seg"));
}

TEST_F(Objects, NamesOfOtherAlphabetsStayByteForByte) {
  const std::string name = "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd";  // UTF-8
  testing::write_series(folder_ / "scan", {.patient = name, .character_set = "ISO_IR 192"});
  const results::Result result = testing::result_on(testing::source_in(folder_ / "scan"));
  results::write_result(results::result_kind("seg"), folder_ / "a.dcm", result);
  DcmFileFormat file;
  ASSERT_TRUE(file.loadFile((folder_ / "a.dcm").c_str()).good());
  EXPECT_EQ(text_of(*file.getDataset(), DCM_PatientName), name);
  EXPECT_EQ(text_of(*file.getDataset(), DCM_SpecificCharacterSet), "ISO_IR 192");
}

TEST_F(Objects, DciodvfyFindsNoErrors) {
  if (std::system("which dciodvfy >/dev/null 2>&1") != 0) GTEST_SKIP() << "without dicom3tools";
  for (const bool bare : {false, true}) {
    const fs::path scan = folder_ / (bare ? "bare" : "scan");
    testing::write_series(scan, {.bare = bare});
    const results::Result result = testing::result_on(testing::source_in(scan));
    for (const results::ResultKind* kind : results::result_kinds()) {
      if (!kind->dicom) continue;
      const fs::path file = folder_ / ("a." + kind->name + ".dcm");
      results::write_result(*kind, file, result);
      const std::string said = output_of("dciodvfy " + file.string(), false);
      EXPECT_EQ(said.find("Error"), std::string::npos) << kind->name << "\n" << said;
    }
  }
}

TEST(ResultKinds, AreToldByTheName) {
  EXPECT_EQ(results::kind_of("a.dcm")->name, "seg");
  EXPECT_EQ(results::kind_of("a.seg.dcm")->name, "seg");
  EXPECT_EQ(results::kind_of("A.SR.DCM")->name, "sr");
  EXPECT_EQ(results::kind_of("x/a.sc.dcm")->name, "sc");
  EXPECT_EQ(results::kind_of("organs.glb")->name, "glb");
  EXPECT_EQ(results::kind_of("mask.nii.gz"), nullptr);
  EXPECT_EQ(results::kind_of(".dcm"), nullptr);
  EXPECT_THROW(results::result_kind("segg"), Error);
}

}  // namespace
}  // namespace vesal::dicom
