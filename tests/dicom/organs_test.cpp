// Many classes at once: the reference organs of a real series, as every kind of object; and a tilted gantry.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/file.h"
#include "dicom/made_series.h"
#include "dicom/segmentation.h"
#include "image/dicom_select.h"
#include "image/formats.h"
#include "image/mesh.h"
#include "paths.h"
#include "transforms/channels.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;

TEST(Organs, OfARealSeriesKeepTheirPlaces) {
  SKIP_WITHOUT_SHARED("ct_dicom/series");
  const tests::TempDir dir;
  const image::DicomVolume volume = image::choose_volume(image::read_dicom_study(tests::shared("ct_dicom/series"))).volume;
  const image::Image stored = image::read_image(tests::shared("ct_dicom/organs.nii.gz"));
  const image::Image mask = transforms::channel_first(stored, stored.meta.at("original_channel_dim"));
  // The file counts rows from the other end.
  bundle::BundleFacts facts;
  facts.name = "Organs";
  facts.version = "1";
  results::Result result =
      results::make_result(image::Image(mask.array().to(DType::u8).flip(2), volume.affine()), {{1, "spleen"}, {5, "liver"}, {3, "kidney_left"}},
                           facts, std::make_shared<image::DicomSource>(volume));
  ASSERT_GT(result.segments.size(), 20u);
  result.scan = [&] {
    const image::Image scan = image::read_image(tests::shared("ct_dicom/series"));
    return transforms::channel_first(scan, scan.meta.at("original_channel_dim"));
  };
  for (const char* kind : {"seg", "rtstruct", "sr", "sc", "glb"}) {
    const results::ResultKind& k = results::result_kind(kind);
    results::write_result(k, dir / (std::string("a") + k.endings[0]), result);
  }
  const auto found = read_segmentation(dir / "a.seg.dcm");
  EXPECT_EQ(found.size(), result.segments.size());
  for (const Segment& s : result.segments) {
    if (s.label == 1) EXPECT_NEAR(s.ml, 130634 * 0.9765625 * 0.9765625 * 2 / 1000, 0.01);
  }
  for (const image::Mesh& m : image::decode_meshes(".glb", read_text(dir / "a.glb"))) EXPECT_TRUE(image::facts_of(m).closed) << m.name;
}

TEST(Organs, ATiltedGantryGoesBackToItsFrames) {
  const tests::TempDir dir;
  testing::write_series(dir / "scan", {.orientation = "LPS", .tilt_mm = 0.6});
  const auto source = testing::source_in(dir / "scan");
  ASSERT_TRUE(source->volume().tilted);
  const results::Result result = testing::result_on(source);
  image::Image mask = result.mask;
  // One voxel may lie between frames: only what has some size is compared.
  Array voxels = mask.array().clone();
  for (std::int64_t i = 0; i < voxels.numel(); ++i)
    if (voxels.data<std::uint8_t>()[i] == 200) voxels.data<std::uint8_t>()[i] = 0;
  bundle::BundleFacts facts;
  facts.name = "Tilt";
  const results::Result without = results::make_result(mask.with(voxels), {}, facts, source);
  results::write_result(results::result_kind("seg"), dir / "a.dcm", without);
  results::write_result(results::result_kind("rtstruct"), dir / "a.rtstruct.dcm", without);
  const auto found = read_segmentation(dir / "a.dcm");
  for (std::size_t s = 0; s < without.segments.size(); ++s)
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found.at(static_cast<int>(s + 1)).centroid[i], without.segments[s].centroid[i], 0.5);
}

}  // namespace
}  // namespace vesal::dicom
