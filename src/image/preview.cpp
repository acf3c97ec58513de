#include "image/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/parallel.h"
#include "image/picture.h"
#include "image/png.h"

namespace vesal::image {
namespace {

constexpr Colour kBackground{16, 18, 22}, kText{222, 226, 230}, kFaint{134, 142, 150}, kAmber{255, 192, 70};
constexpr Colour kPalette[] = {{255, 99, 88},  {78, 205, 196},  {255, 209, 102}, {120, 160, 255}, {199, 125, 255}, {128, 222, 98},
                               {255, 159, 67}, {255, 120, 190}, {60, 190, 240},  {190, 220, 90},  {230, 150, 130}, {150, 150, 220}};

/// [x, y, z] of an image that may carry a channel axis of one.
Array volume_of(const Image& image, const char* what) {
  const Array& a = image.array();
  if (a.dim() == 3) return a;
  if (a.dim() == 4 && a.size(0) == 1) return a.select(0, 0);
  throw Error(ErrorKind::shape, std::string(what) + ": [x, y, z] or [1, x, y, z] wanted, got " + to_string(a.shape()));
}

/// The volume with its axes turned to run to the right, to the front and to the head, and the voxel sizes along them. A view.
struct Standing {
  Array voxels;
  std::array<double, 3> spacing;
};
Standing stand_up(const Array& voxels, const Affine& affine) {
  const Orientation o = orientation_of(affine);
  const auto spacing = spacing_of(affine);
  Standing out{voxels, {}};
  std::array<int, 3> from{};
  for (int i = 0; i < 3; ++i) {
    from[static_cast<std::size_t>(o.axis[static_cast<std::size_t>(i)])] = i;
    if (o.sign[static_cast<std::size_t>(i)] < 0) out.voxels = out.voxels.flip(i);
  }
  out.voxels = out.voxels.permute(from);
  for (std::size_t i = 0; i < 3; ++i) out.spacing[i] = spacing[static_cast<std::size_t>(from[i])];
  return out;
}

/// Voxels per label, and per slice along each axis the labelled ones.
struct Census {
  std::map<std::int64_t, std::int64_t> count;
  std::array<std::vector<std::int64_t>, 3> slices;
};
Census census_of(const Array& labels) {
  Census census;
  for (int axis = 0; axis < 3; ++axis) census.slices[static_cast<std::size_t>(axis)].assign(static_cast<std::size_t>(labels.size(axis)), 0);
  std::mutex mutex;
  parallel_for(labels.size(2), 1, [&](std::int64_t begin, std::int64_t end) {
    Census part;
    part.slices = census.slices;
    for (auto& s : part.slices) std::fill(s.begin(), s.end(), 0);
    for (std::int64_t z = begin; z < end; ++z) {
      const Array plane = labels.select(2, z).to(DType::i64).contiguous();
      const std::int64_t* p = plane.data<std::int64_t>();
      std::int64_t last = 0, *counter = nullptr;
      for (std::int64_t x = 0; x < plane.size(0); ++x)
        for (std::int64_t y = 0; y < plane.size(1); ++y, ++p) {
          if (*p == 0) continue;
          if (!counter || *p != last) counter = &part.count[last = *p];
          ++*counter;
          ++part.slices[0][static_cast<std::size_t>(x)];
          ++part.slices[1][static_cast<std::size_t>(y)];
          ++part.slices[2][static_cast<std::size_t>(z)];
        }
      if (part.count.size() > 4096) throw Error(ErrorKind::shape, "more than 4096 different values: not a label map");
    }
    const std::lock_guard lock(mutex);
    for (const auto& [label, n] : part.count) census.count[label] += n;
    for (std::size_t axis = 0; axis < 3; ++axis)
      for (std::size_t i = 0; i < part.slices[axis].size(); ++i) census.slices[axis][i] += part.slices[axis][i];
  });
  return census;
}

/// The slice through the centre of what is labelled, or the one with most of it if the centre lies between two organs.
std::int64_t central(const std::vector<std::int64_t>& slices) {
  double mass = 0, moment = 0;
  for (std::size_t i = 0; i < slices.size(); ++i)
    mass += static_cast<double>(slices[i]), moment += static_cast<double>(slices[i]) * static_cast<double>(i);
  if (mass == 0) return static_cast<std::int64_t>(slices.size() / 2);
  const auto middle = static_cast<std::size_t>(std::lround(moment / mass));
  if (slices[middle] > 0) return static_cast<std::int64_t>(middle);
  return std::max_element(slices.begin(), slices.end()) - slices.begin();
}

std::pair<double, double> window_of(const Array& voxels) {
  // About 100,000 values say enough.
  std::vector<float> sample;
  const auto step = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::cbrt(static_cast<double>(voxels.numel()) / 1e5)));
  Array thin = voxels;
  for (int axis = 0; axis < 3; ++axis) thin = thin.slice(axis, 0, thin.size(axis), step);
  thin = thin.to(DType::f32).contiguous();
  for (std::int64_t i = 0; i < thin.numel(); ++i)
    if (std::isfinite(thin.data<float>()[i])) sample.push_back(thin.data<float>()[i]);
  if (sample.empty()) return {0, 1};
  std::sort(sample.begin(), sample.end());
  if (sample.front() < -500) return {-160, 240};
  const auto at = [&](double q) { return sample[static_cast<std::size_t>(q * static_cast<double>(sample.size() - 1))]; };
  const double low = at(0.005), high = at(0.995);
  return {low, high > low ? high : low + 1};
}

/// A plane of the standing volume as it is looked at: [across, down], both counted from the top left corner of the picture.
struct Plane {
  const char* name;
  Array grey, labels;  ///< float32 and int64, contiguous
  double width_mm, height_mm;
  char left, right, top, bottom;
};

Plane plane_of(const Standing& scan, const Array& labels, int normal, std::int64_t index) {
  static constexpr struct {
    const char* name;
    char left, right, top, bottom;
  } kLook[3] = {{"sagittal", 'A', 'P', 'S', 'I'}, {"coronal", 'R', 'L', 'S', 'I'}, {"axial", 'R', 'L', 'A', 'P'}};
  const int across = normal == 0 ? 1 : 0, down = normal == 2 ? 1 : 2;
  // Both axes of every plane run against the picture: to the right, to the front, to the head.
  const auto cut = [&](const Array& a, DType type) { return a.select(normal, index).flip(0).flip(1).to(type).contiguous(); };
  const auto extent = [&](int axis) { return static_cast<double>(scan.voxels.size(axis)) * scan.spacing[static_cast<std::size_t>(axis)]; };
  const auto& look = kLook[normal];
  return {look.name,  cut(scan.voxels, DType::f32), cut(labels, DType::i64), extent(across), extent(down), look.left, look.right, look.top,
          look.bottom};
}

/// The four voxels around a pixel and their weights; the edge voxels go on outside.
struct Corners {
  std::array<std::int64_t, 4> at;
  std::array<double, 4> weight;
};
Corners corners_of(const Plane& plane, double u, double v) {
  const auto nx = plane.grey.size(0), ny = plane.grey.size(1);
  const double x = std::clamp(u * static_cast<double>(nx) - 0.5, 0.0, static_cast<double>(nx - 1));
  const double y = std::clamp(v * static_cast<double>(ny) - 0.5, 0.0, static_cast<double>(ny - 1));
  const auto x0 = static_cast<std::int64_t>(x), y0 = static_cast<std::int64_t>(y);
  const auto x1 = std::min(x0 + 1, nx - 1), y1 = std::min(y0 + 1, ny - 1);
  const double fx = x - static_cast<double>(x0), fy = y - static_cast<double>(y0);
  return {{x0 * ny + y0, x0 * ny + y1, x1 * ny + y0, x1 * ny + y1}, {(1 - fx) * (1 - fy), (1 - fx) * fy, fx * (1 - fy), fx * fy}};
}

/// The label with the most weight among the four: smoother outlines than the nearest voxel's.
std::int64_t label_at(const Plane& plane, const Corners& c) {
  const std::int64_t* labels = plane.labels.data<std::int64_t>();
  std::int64_t best = 0;
  double most = -1;
  for (std::size_t i = 0; i < 4; ++i) {
    double weight = 0;
    for (std::size_t k = 0; k < 4; ++k) weight += labels[c.at[k]] == labels[c.at[i]] ? c.weight[k] : 0;
    if (weight > most) most = weight, best = labels[c.at[i]];
  }
  return best;
}

void draw(Picture& picture, const Plane& plane, int left, int top, int width, int height, std::pair<double, double> window) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  const auto label = [&](int x, int y) -> std::int64_t {
    return labels[static_cast<std::size_t>(std::clamp(y, 0, height - 1)) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(std::clamp(x, 0, width - 1))];
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const Corners c = corners_of(plane, (x + 0.5) / width, (y + 0.5) / height);
      double value = 0;
      for (std::size_t i = 0; i < 4; ++i) value += c.weight[i] * static_cast<double>(plane.grey.data<float>()[c.at[i]]);
      const double grey = (value - window.first) / (window.second - window.first);
      const auto g = static_cast<std::uint8_t>(255 * (grey > 0 ? std::min(grey, 1.0) : 0));
      picture.blend(left + x, top + y, {g, g, g});
      labels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] = label_at(plane, c);
    }
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const std::int64_t here = label(x, y);
      if (here == 0) continue;
      const bool edge = label(x - 1, y) != here || label(x + 1, y) != here || label(x, y - 1) != here || label(x, y + 1) != here;
      picture.blend(left + x, top + y, label_colour(here), edge ? 1.0 : 0.32);
    }
  const auto mark = [&](char c, int x, int y) {
    picture.text(left + x + 1, top + y + 1, std::string(1, c), {});
    picture.text(left + x, top + y, std::string(1, c), kText);
  };
  mark(plane.left, 6, height / 2 - 7);
  mark(plane.right, width - 16, height / 2 - 7);
  mark(plane.top, width / 2 - 5, 6);
  mark(plane.bottom, width / 2 - 5, height - 20);
}

std::vector<LabelVolume> volumes_of(const Census& census, const Affine& a) {
  check(a);
  const double det = a(0, 0) * (a(1, 1) * a(2, 2) - a(1, 2) * a(2, 1)) - a(0, 1) * (a(1, 0) * a(2, 2) - a(1, 2) * a(2, 0)) +
                     a(0, 2) * (a(1, 0) * a(2, 1) - a(1, 1) * a(2, 0));
  std::vector<LabelVolume> out;
  for (const auto& [label, voxels] : census.count) out.push_back({label, voxels, static_cast<double>(voxels) * std::fabs(det) / 1000});
  return out;
}

}  // namespace

Colour label_colour(std::int64_t label) { return kPalette[static_cast<std::size_t>(std::max<std::int64_t>(1, label) - 1) % std::size(kPalette)]; }

std::vector<LabelVolume> label_volumes(const Image& labels) { return volumes_of(census_of(volume_of(labels, "labels")), labels.affine); }

Array render_preview(const Image& scan, const Image& labels, const PreviewOptions& options) {
  const Array grey = volume_of(scan, "scan"), map = volume_of(labels, "labels");
  if (grey.shape() != map.shape())
    throw Error(ErrorKind::geometry, "the scan " + to_string(grey.shape()) + " and its labels " + to_string(map.shape()) + " are not on one grid");
  if (max_difference(scan.affine, labels.affine) > 0.01) throw Error(ErrorKind::geometry, "the scan and its labels lie in different places");
  const Standing standing = stand_up(grey, scan.affine);
  const Array standing_labels = stand_up(map, scan.affine).voxels;
  const Census census = census_of(standing_labels);
  const auto window = options.window.value_or(window_of(standing.voxels));

  std::vector<Plane> planes;
  double largest = 1e-6;
  for (const int normal : {2, 1, 0}) {
    planes.push_back(plane_of(standing, standing_labels, normal, central(census.slices[static_cast<std::size_t>(normal)])));
    largest = std::max({largest, planes.back().width_mm, planes.back().height_mm});
  }
  const bool bare = options.bare;
  const int tile = options.plane_pixels, gap = bare ? 8 : 14, line = 26, head = bare ? gap : 44, foot = bare ? 0 : 34;
  const double scale = tile / largest;
  const auto pixels = [&](double mm) { return std::max(1, static_cast<int>(std::lround(mm * scale))); };
  int widest = gap, tallest = 1;
  for (const Plane& p : planes) widest += pixels(p.width_mm) + gap, tallest = std::max(tallest, pixels(p.height_mm));

  // The legend in rows that fit the width.
  struct Entry {
    std::int64_t label;
    std::string text;
    int x, row;
  };
  std::vector<Entry> legend;
  int x = gap, row = 0;
  for (const LabelVolume& v : volumes_of(census, labels.affine)) {
    const auto name = options.names.find(v.label);
    std::string text = fmt::format("{} {:.1f} ml", name == options.names.end() ? fmt::format("label {}", v.label) : name->second, v.ml);
    const int width = 22 + Picture::text_width(text) + 18;
    if (x + width > widest && x > gap) x = gap, ++row;
    legend.push_back({v.label, std::move(text), x, row});
    x += width;
  }

  Picture picture(widest, head + tallest + foot + (bare ? gap : (row + 1) * line + 6), kBackground);
  if (!bare) {
    picture.text(gap, 14, options.caption, kText);
    picture.text(widest - gap - Picture::text_width(options.warning), 14, options.warning, kAmber);
  }
  int left = gap;
  for (const Plane& p : planes) {
    const int width = pixels(p.width_mm), height = pixels(p.height_mm);
    draw(picture, p, left, head + (tallest - height) / 2, width, height, window);
    if (!bare) picture.text(left + (width - Picture::text_width(p.name)) / 2, head + tallest + 10, p.name, kFaint);
    left += width + gap;
  }
  if (bare) return picture.array();
  const int base = head + tallest + foot;
  if (legend.empty()) picture.text(gap, base + 4, "nothing labelled", kFaint);
  for (const Entry& e : legend) {
    picture.fill(e.x, base + e.row * line + 4, 14, 14, label_colour(e.label));
    picture.text(e.x + 22, base + e.row * line + 4, e.text, kText);
  }
  return picture.array();
}

void write_preview(const std::filesystem::path& path, const Image& scan, const Image& labels, const PreviewOptions& options) {
  write_png(path, render_preview(scan, labels, options));
}

}  // namespace vesal::image
