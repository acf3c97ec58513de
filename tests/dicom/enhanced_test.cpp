// Objects of a scan that is one file with many frames refer to its frames.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gtest/gtest.h>

#include "dicom/made_series.h"
#include "dicom/segmentation.h"
#include "dicom/toolkit.h"
#include "dicom_writer.h"
#include "paths.h"

namespace vesal::dicom {
namespace {

TEST(EnhancedSource, FramesAreNamed) {
  const tests::TempDir dir;
  Array voxels = Array::zeros({24, 20, 14}, DType::i16);
  image::Image scan(voxels, image::Affine{{{{-1.5, 0, 0, 20}, {0, 1.25, 0, -40}, {0, 0, 3, 395}, {0, 0, 0, 1}}}});
  tests::write_dicom(dir / "scan", scan, {.enhanced = true});
  const auto source = testing::source_in(dir / "scan");
  ASSERT_EQ(source->slices()[0].format.frames, 14);
  Array mask = Array::zeros({1, 24, 20, 14}, DType::u8);
  for (std::int64_t x = 5; x < 12; ++x)
    for (std::int64_t y = 4; y < 9; ++y)
      for (std::int64_t z = 2; z < 7; ++z) mask.data<std::uint8_t>()[(x * 20 + y) * 14 + z] = 1;
  bundle::BundleFacts facts;
  facts.name = "Frames";
  const results::Result result = results::make_result(image::Image(mask, source->volume().affine()), {{1, "spleen"}}, facts, source);
  results::write_result(results::result_kind("seg"), dir / "a.dcm", result);
  results::write_result(results::result_kind("rtstruct"), dir / "a.rtstruct.dcm", result);
  results::write_result(results::result_kind("sr"), dir / "a.sr.dcm", result);
  DcmFileFormat file;
  ASSERT_TRUE(file.loadFile((dir / "a.dcm").c_str()).good());
  DcmItem *frame = nullptr, *derivation = nullptr, *image = nullptr, *series = nullptr;
  ASSERT_TRUE(file.getDataset()->findAndGetSequenceItem(DCM_PerFrameFunctionalGroupsSequence, frame, 0).good());
  ASSERT_TRUE(frame->findAndGetSequenceItem(DCM_DerivationImageSequence, derivation).good());
  ASSERT_TRUE(derivation->findAndGetSequenceItem(DCM_SourceImageSequence, image).good());
  EXPECT_EQ(text_of(*image, DCM_ReferencedFrameNumber), std::to_string(source->slices()[2].frame + 1));
  // The file is listed once, however many frames it has.
  ASSERT_TRUE(file.getDataset()->findAndGetSequenceItem(DCM_ReferencedSeriesSequence, series).good());
  DcmSequenceOfItems* instances = nullptr;
  ASSERT_TRUE(series->findAndGetSequence(DCM_ReferencedInstanceSequence, instances).good());
  EXPECT_EQ(instances->card(), 1u);
}

}  // namespace
}  // namespace vesal::dicom
