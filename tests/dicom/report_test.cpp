// Reports and meshes of a result, and what people find in them.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "dicom/made_series.h"
#include "dicom/report_pdf.h"
#include "dicom/toolkit.h"
#include "image/mesh.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;

class Reports : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    testing::write_series(folder_ / "scan");
    result_ = testing::result_on(testing::source_in(folder_ / "scan"));
  }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::temp_directory_path() / ("vesal_reports_" + std::to_string(getpid()));
  results::Result result_;
};

TEST_F(Reports, ThePdfSaysWhoWhatAndHowMuch) {
  if (std::system("which pdftotext >/dev/null 2>&1") != 0) GTEST_SKIP() << "without poppler-utils";
  results::write_result(results::result_kind("report"), folder_ / "r.pdf", result_);
  ASSERT_EQ(std::system(("pdftotext -layout " + (folder_ / "r.pdf").string() + " " + (folder_ / "r.txt").string() + " 2>/dev/null").c_str()), 0);
  const std::string text = read_text(folder_ / "r.txt");
  for (const char* words : {"Doe Jane", "P1", "A17", "2024-01-02", "Made bundle", "1.2.3", "vesal 0.0.0", "not for diagnosis", "Bệnh nhân",
                            "không dùng để chẩn đoán", "kidney_left", "Kidney, Left", "not found"})
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  char volume[32];
  std::snprintf(volume, sizeof volume, "%.2f ml", result_.segments[0].ml);
  EXPECT_NE(text.find(volume), std::string::npos) << volume;
}

TEST_F(Reports, ManyClassesGoOntoMorePages) {
  for (int i = 0; i < 150; ++i) result_.classes.push_back(result_.classes[0]);
  const std::string few = report_pdf(testing::result_on(result_.source)), many = report_pdf(result_);
  const auto pages = [](const std::string& pdf) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = pdf.find("/Type /Page\n", at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_EQ(pages(few), 1u);
  EXPECT_GE(pages(many), 3u);
}

TEST_F(Reports, TheEncapsulatedReportIsTheReport) {
  results::write_result(results::result_kind("pdf"), folder_ / "r.pdf.dcm", result_);
  DcmFileFormat file;
  ASSERT_TRUE(file.loadFile((folder_ / "r.pdf.dcm").c_str()).good());
  const Uint8* bytes = nullptr;
  unsigned long size = 0;
  ASSERT_TRUE(file.getDataset()->findAndGetUint8Array(DCM_EncapsulatedDocument, bytes, &size).good());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes), 5), "%PDF-");
  EXPECT_EQ(text_of(*file.getDataset(), DCM_PatientName), "Doe^Jane");
}

TEST_F(Reports, MeshesLieWhereTheClassesAre) {
  results::write_result(results::result_kind("glb"), folder_ / "o.glb", result_);
  const auto meshes = image::decode_meshes(".glb", read_text(folder_ / "o.glb"));
  ASSERT_EQ(meshes.size(), 3u);
  for (std::size_t s = 0; s < 3; ++s) {
    const image::MeshFacts facts = image::facts_of(meshes[s]);
    EXPECT_EQ(meshes[s].name, result_.segments[s].name);
    EXPECT_TRUE(facts.closed);
    EXPECT_NEAR(facts.ml, result_.segments[s].ml, 0.01 * result_.segments[s].ml);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(facts.centroid[i], result_.segments[s].centroid[i], 1.2);
  }
  const auto files = results::write_result(results::result_kind("stl"), folder_ / "o_{name}.stl", result_);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[1].filename(), "o_kidney_left.stl");
  EXPECT_EQ(image::decode_meshes(".stl", read_text(files[1])).size(), 1u);
}

TEST_F(Reports, WithoutDicomThereAreOnlyOtherKinds) {
  result_.source = nullptr;
  EXPECT_THROW(results::write_result(results::result_kind("seg"), folder_ / "a.dcm", result_), Error);
  EXPECT_NO_THROW(results::write_result(results::result_kind("report"), folder_ / "r.pdf", result_));
  EXPECT_NO_THROW(results::write_result(results::result_kind("obj"), folder_ / "o.obj", result_));
}

}  // namespace
}  // namespace vesal::dicom
