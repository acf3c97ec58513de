// A real CT series, JPEG 2000 compressed, against the same scan as NIfTI, and organs drawn on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/dicom_select.h"
#include "paths.h"

namespace vesal::image {
namespace {

TEST(DicomReal, SeriesIsTheScanThatItsNiftiIs) {
  SKIP_WITHOUT_SHARED("ct_dicom/series");
  const Image want = read_image(tests::shared("ct_dicom/ct.nii.gz")), got = read_image(tests::shared("ct_dicom/series"));
  ASSERT_EQ(got.shape(), want.shape());
  EXPECT_EQ(got.dtype(), DType::i16);
  EXPECT_LT(max_difference(got.affine, want.affine), 1e-4);
  const Array a = got.array().contiguous(), b = want.array().to(DType::i16).contiguous();
  EXPECT_EQ(std::memcmp(a.raw(), b.raw(), a.nbytes()), 0);

  const auto source = dicom_source_of(got);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->slices().size(), 20u);
  EXPECT_EQ(source->series().modality, "CT");
  EXPECT_THAT(source->volume().findings, ::testing::Contains("SliceThickness is 3 mm, the slices lie 2 mm apart"));
}

/// The reference mask counts rows from the other end: through both affines each voxel of an organ meets the scan where the organ is.
TEST(DicomReal, OrgansLieOnTheScan) {
  SKIP_WITHOUT_SHARED("ct_dicom/organs.nii.gz");
  const Image scan = read_image(tests::shared("ct_dicom/series")), organs = read_image(tests::shared("ct_dicom/organs.nii.gz"));
  const Affine to_scan = inverse(scan.affine) * organs.affine;
  const Array labels = organs.array().to(DType::u8), hu = scan.array();
  const Shape shape = labels.shape();
  // Kind of label -> where its mean HU must lie: spleen, liver, bones; fat, air and muscle are elsewhere.
  const std::map<int, std::pair<double, double>> expected{{1, {60, 160}}, {5, {60, 160}}, {26, {150, 600}}, {92, {150, 700}}};
  const auto kind_of = [](int label) { return label >= 92 && label <= 117 ? 92 : label >= 26 && label <= 50 ? 26 : label; };
  std::map<int, std::pair<double, std::int64_t>> sums;
  for (std::int64_t x = 0; x < shape[0]; ++x)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t z = 0; z < shape[2]; ++z) {
        const int label = kind_of(static_cast<int>(labels.at({x, y, z})));
        if (!expected.contains(label)) continue;
        const auto p = apply(to_scan, {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        auto& [sum, count] = sums[label];
        sum += hu.at({std::lround(p[0]), std::lround(p[1]), std::lround(p[2])});
        ++count;
      }
  ASSERT_EQ(sums.size(), expected.size());
  for (const auto& [label, sum] : sums) {
    const double mean = sum.first / static_cast<double>(sum.second);
    EXPECT_GT(mean, expected.at(label).first) << "label " << label;
    EXPECT_LT(mean, expected.at(label).second) << "label " << label;
  }
}

}  // namespace
}  // namespace vesal::image
