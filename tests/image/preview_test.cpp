#include "image/preview.h"

#include <gtest/gtest.h>

#include "image/formats.h"
#include "paths.h"

namespace vesal::image {
namespace {

/// A dark box of 40 x 30 x 20 voxels; RAS millimetres x to the right, y to the front, z to the head.
struct Scene {
  Image scan, labels;
};
Scene scene() {
  const Affine affine = Affine::translate(-40, -30, -20) * Affine::scale(2, 2, 4);
  Array grey = Array::full({40, 30, 20}, DType::f32, -1000), map = Array::zeros({40, 30, 20}, DType::u8);
  // A block far to the patient's right, front and top.
  map.slice(0, 30, 38).slice(1, 20, 28).slice(2, 14, 18).fill(3);
  return {Image(grey, affine), Image(map, affine)};
}

/// Centre of the coloured pixels between two columns of a picture, as fractions of that stretch and of the height.
std::pair<double, double> centre(const Array& picture, std::int64_t begin, std::int64_t end, std::int64_t height) {
  double x = 0, y = 0, n = 0;
  for (std::int64_t j = 0; j < height; ++j)
    for (std::int64_t i = begin; i < end; ++i) {
      const double r = picture.at({j, i, 0}), b = picture.at({j, i, 2});
      if (r - b > 30) x += static_cast<double>(i - begin), y += static_cast<double>(j), ++n;  // label 3 is yellow
    }
  return n == 0 ? std::pair{-1.0, -1.0} : std::pair{x / n / static_cast<double>(end - begin), y / n / static_cast<double>(height)};
}

TEST(Preview, ShowsThePatientsRightOnTheLeftWhateverTheFilesOrientation) {
  Scene s = scene();
  const Array first = render_preview(s.scan, s.labels);
  const std::int64_t third = first.size(1) / 3, planes = first.size(0) - 80;
  const auto [x, y] = centre(first, 0, third, planes);
  EXPECT_GT(x, 0);
  EXPECT_LT(x, 0.4) << "axial: right on the left";
  EXPECT_LT(y, 0.5) << "axial: front on top";
  EXPECT_LT(centre(first, third, 2 * third, planes).second, 0.5) << "coronal: head on top";
  EXPECT_LT(centre(first, 2 * third, 3 * third, planes).first, 0.5) << "sagittal: front on the left";
  // The same scan stored the other way round must give the same picture.
  const Affine turn{{{{-1, 0, 0, 39}, {0, 0, 1, 0}, {0, 1, 0, 0}, {0, 0, 0, 1}}}};
  const int axes[] = {0, 2, 1};
  for (Image* image : {&s.scan, &s.labels}) {
    image->set_array(image->array().flip(0).permute(axes));
    image->affine = image->affine * turn;
  }
  const Array second = render_preview(s.scan, s.labels);
  ASSERT_EQ(first.shape(), second.shape());
  EXPECT_EQ(std::memcmp(first.raw(), second.raw(), first.nbytes()), 0);
}

TEST(Preview, MeasuresVolumes) {
  const auto volumes = label_volumes(scene().labels);
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].label, 3);
  EXPECT_EQ(volumes[0].voxels, 8 * 8 * 4);
  EXPECT_NEAR(volumes[0].ml, 8 * 8 * 4 * 16 / 1000.0, 1e-9);
}

TEST(Preview, KeepsProportions) {
  const Scene s = scene();  // 80 x 60 x 80 mm
  const Array picture = render_preview(s.scan, s.labels, {.plane_pixels = 200});
  EXPECT_EQ(picture.size(1), 14 + 200 + 14 + 200 + 14 + 150 + 14);
}

TEST(Preview, AcceptsAChannelAxisAndNoLabels) {
  Scene s = scene();
  s.scan.set_array(s.scan.array().unsqueeze(0));
  s.labels.set_array(Array::zeros({1, 40, 30, 20}, DType::f32));
  EXPECT_EQ(render_preview(s.scan, s.labels, {.caption = "case \xc3\xa9", .warning = kNotForDiagnosis}).size(2), 3);
}

TEST(Preview, RefusesWhatDoesNotFitTogether) {
  const Scene s = scene();
  EXPECT_THROW(render_preview(s.scan, Image(Array::zeros({40, 30, 19}, DType::u8), s.scan.affine)), Error);
  EXPECT_THROW(render_preview(s.scan, Image(s.labels.array())), Error);
  EXPECT_THROW(render_preview(s.scan, Image(Array::zeros({3, 40, 30, 20}, DType::u8), s.scan.affine)), Error);
}

TEST(Preview, RealScanHasItsSpleenVolume) {
  SKIP_WITHOUT_SHARED("ct_3mm/organs.nii.gz");
  const auto volumes = label_volumes(read_image(tests::shared("ct_3mm/organs.nii.gz")));
  ASSERT_FALSE(volumes.empty());
  EXPECT_EQ(volumes[0].voxels, 9668);
  EXPECT_NEAR(volumes[0].ml, 9668 * 27 / 1000.0, 0.5);
}

}  // namespace
}  // namespace vesal::image
