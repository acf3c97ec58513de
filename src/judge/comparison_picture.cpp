#include "judge/comparison_picture.h"

#include <algorithm>
#include <cmath>

#include "image/formats.h"
#include "image/png.h"
#include "image/preview.h"
#include "judge/grids.h"
#include "judge/scoring.h"

namespace vesal::judge {
namespace {

// Labels of the preview's palette: green, blue, red, yellow.
constexpr std::uint8_t kBoth = 6, kMissed = 4, kTooMuch = 1, kOther = 3;
constexpr double kMargin = 40;  // mm around what is labelled

Array differences(const Array& reference, const Array& prediction) {
  const Array r = reference.to(DType::i32).contiguous(), p = prediction.to(DType::i32).contiguous();
  Array out = Array::zeros(r.shape(), DType::u8);
  std::uint8_t* to = out.data<std::uint8_t>();
  for (std::int64_t i = 0; i < r.numel(); ++i) {
    const std::int32_t a = r.data<std::int32_t>()[i], b = p.data<std::int32_t>()[i];
    if ((a | b) != 0) to[i] = a == b ? kBoth : a == 0 ? kTooMuch : b == 0 ? kMissed : kOther;
  }
  return out;
}

/// The box of what is not 0, with a margin; all if there is nothing.
image::Box box_around(const Array& map, const std::array<double, 3>& spacing) {
  image::Box box{{0, 0, 0}, map.shape()};
  Shape low = map.shape(), high{-1, -1, -1};
  const std::uint8_t* v = map.data<std::uint8_t>();
  for (std::int64_t x = 0; x < map.size(0); ++x)
    for (std::int64_t y = 0; y < map.size(1); ++y)
      for (std::int64_t z = 0; z < map.size(2); ++z, ++v)
        if (*v != 0) {
          const std::int64_t at[3] = {x, y, z};
          for (std::size_t i = 0; i < 3; ++i) low[i] = std::min(low[i], at[i]), high[i] = std::max(high[i], at[i]);
        }
  if (high[0] < 0) return box;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto margin = static_cast<std::int64_t>(kMargin / spacing[i]) + 1;
    box.begin[i] = std::max<std::int64_t>(0, low[i] - margin);
    box.end[i] = std::min(map.shape()[i], high[i] + 1 + margin);
  }
  return box;
}

image::Image cut(const Array& volume, const image::Affine& affine, const image::Box& box) {
  Array part = volume;
  for (int axis = 0; axis < 3; ++axis) part = part.slice(axis, box.begin[static_cast<std::size_t>(axis)], box.end[static_cast<std::size_t>(axis)]);
  return image::Image(part, affine * image::Affine::translate(static_cast<double>(box.begin[0]), static_cast<double>(box.begin[1]),
                                                              static_cast<double>(box.begin[2])));
}

/// The first of several channels.
Array one_channel(const image::Image& scan) {
  Array a = scan.array();
  while (a.dim() > 3) a = a.select(-1, 0);
  return volume_of(image::Image(a));
}

}  // namespace

Array comparison_picture(const image::Image& scan, const image::Image& reference, const image::Image& prediction) {
  const Array map = differences(volume_of(reference), volume_of(prediction));
  const Array voxels = one_channel(scan);
  if (voxels.shape() != map.shape())
    throw Error(ErrorKind::geometry, "the scan has " + to_string(voxels.shape()) + " voxels, its labels " + to_string(map.shape()));
  const image::Box box = box_around(map, image::spacing_of(scan.affine));
  image::PreviewOptions options;
  options.bare = true;
  options.plane_pixels = 340;
  return image::render_preview(cut(voxels, scan.affine, box), cut(map, scan.affine, box), options);
}

void WorstCases::consider(const CaseScore& c, const image::Image& prediction, const image::Image& reference) {
  const double dice = c.dice();
  if (std::isnan(dice) || most_ == 0 || (pictures_.size() == most_ && dice >= pictures_.back().dice)) return;
  CasePicture picture{c.source.id, dice, {}};
  try {
    picture.png = image::encode_png(comparison_picture(image::read_image(c.source.image), reference, prediction));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    return;
  }
  const auto place = std::upper_bound(pictures_.begin(), pictures_.end(), dice, [](double d, const CasePicture& p) { return d < p.dice; });
  pictures_.insert(place, std::move(picture));
  if (pictures_.size() > most_) pictures_.pop_back();
}

}  // namespace vesal::judge
