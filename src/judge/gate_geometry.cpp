// Headers and grids: where a file says its voxels are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "judge/gate_case.h"
#include "judge/grids.h"

namespace vesal::judge {
namespace {

using image::Affine;

std::int64_t meta_number(const image::Image& image, const char* key, std::int64_t otherwise) {
  const Value* v = image.meta.find(key);
  return v && v->is_int() ? v->as_int() : otherwise;
}

/// Whether a NIfTI file says nothing about where it is but its voxel sizes; other formats always say.
bool unplaced(const image::Image& image) { return meta_number(image, "sform_code", 1) == 0 && meta_number(image, "qform_code", 1) == 0; }

bool is_identity(const Affine& a) {
  const auto s = image::spacing_of(a);
  return s[0] == 1 && s[1] == 1 && s[2] == 1 && a(0, 3) == 0 && a(1, 3) == 0 && a(2, 3) == 0;
}

/// The share of the label's box that lies inside the scan's, by 5 x 5 x 5 points.
double overlap(const Shape& shape, const Affine& affine, const Shape& scan_shape, const Affine& scan) {
  const Affine to_scan = image::inverse(scan) * affine;
  int inside = 0, all = 0;
  for (int i = 0; i < 125; ++i) {
    std::array<double, 3> at{};
    int rest = i;
    for (std::size_t axis = 0; axis < 3; ++axis, rest /= 5) at[axis] = (rest % 5 + 0.5) / 5 * static_cast<double>(shape[axis]) - 0.5;
    const auto p = image::apply(to_scan, at);
    bool in = true;
    for (std::size_t axis = 0; axis < 3; ++axis) in = in && p[axis] >= -0.5 && p[axis] <= static_cast<double>(scan_shape[axis]) - 0.5;
    inside += in;
    ++all;
  }
  return static_cast<double>(inside) / all;
}

std::string sizes(const std::array<double, 3>& v) { return fmt::format("{:.4g} x {:.4g} x {:.4g}", v[0], v[1], v[2]); }

/// The cosine of the largest angle by which two voxel axes miss being square to each other.
double shear(const Affine& a) {
  const auto s = image::spacing_of(a);
  double most = 0;
  for (int i = 0; i < 3; ++i)
    for (int k = i + 1; k < 3; ++k) {
      double dot = 0;
      for (int r = 0; r < 3; ++r) dot += a(r, i) * a(r, k);
      most = std::max(most, std::fabs(dot) / (s[static_cast<std::size_t>(i)] * s[static_cast<std::size_t>(k)]));
    }
  return most;
}

}  // namespace

void check_header(const Opened& scan, CaseFacts& facts) {
  const std::filesystem::path& file = facts.source.image;
  const Affine& affine = scan.image.affine;
  const auto spacing = image::spacing_of(affine);
  const Shape& shape = scan.volume.shape();
  std::array<double, 3> field{};
  for (std::size_t i = 0; i < 3; ++i) field[i] = spacing[i] * static_cast<double>(shape[i]);
  const auto [least, most] = std::minmax_element(field.begin(), field.end());

  const std::int64_t units = meta_number(scan.image, "xyzt_units", 2) & 7;
  if (units == 1 || units == 3) {
    const double factor = units == 1 ? 1000 : 0.001;
    const bool sure = *most * factor > 20 && *most * factor < 3000 && (*most < 20 || *most > 3000);
    add(facts, sure ? Severity::error : Severity::warning, "spacing", file,
        fmt::format("the header counts in {}, vesal and MONAI take it for millimetres: {} mm", units == 1 ? "metres" : "micrometres", sizes(field)),
        sure ? "convert the header to millimetres" : "set the units of the header to millimetres", sure ? Fix::millimetres : Fix::none);
    if (sure) return;
  }
  if (unplaced(scan.image))
    add(facts, Severity::warning, "orientation", file, "the header has neither sform nor qform: left and right, front and back are guesses",
        "export the scan anew from DICOM, with orientation");
  else if (is_identity(affine) && *std::max_element(shape.begin(), shape.end()) > 96)
    add(facts, Severity::warning, "spacing", file,
        fmt::format("voxels of exactly 1 x 1 x 1 mm at the origin, {} of them: a header that was lost", to_string(shape)),
        "export the scan anew from DICOM");
  if (*most > 2500 || *most < 20)
    add(facts, Severity::error, "spacing", file, fmt::format("the scan is {} mm large: no patient is", sizes(field)),
        "correct the voxel sizes in the header");
  else if (*least < 2 || *std::max_element(spacing.begin(), spacing.end()) > 20 || *std::min_element(spacing.begin(), spacing.end()) < 0.05)
    add(facts, Severity::warning, "spacing", file, fmt::format("voxels of {} mm, {} mm in all", sizes(spacing), sizes(field)),
        "look whether the header is right; a localizer or a single slice is no scan to learn from");
  if (shear(affine) > 0.02)
    add(facts, Severity::warning, "orientation", file, "the voxel axes are not square to each other: a tilted gantry that was not corrected",
        "resample the scan onto a straight grid");
}

std::optional<Array> check_grid(const Opened& scan, const Opened& label, CaseFacts& facts) {
  const Shape &want = scan.volume.shape(), &have = label.volume.shape();
  const Affine &place = scan.image.affine, &other = label.image.affine;
  const std::filesystem::path& file = facts.source.label;
  if (const auto placed = on_grid(label.volume, other, want, place)) {
    if (!same_grid(want, place, have, other))
      add(facts, Severity::note, "grid", file,
          fmt::format("stored as {}, the scan as {}: the same grid", axcodes(image::orientation_of(other)), axcodes(image::orientation_of(place))));
    return placed;
  }
  if (have == want) {
    const double apart = corner_distance(want, place, other);
    const auto s = image::spacing_of(place);
    const bool lost = unplaced(label.image) || is_identity(other), close = apart <= 2 * std::hypot(s[0], s[1], s[2]);
    const std::string what = fmt::format("as many voxels as the scan, but up to {:.3g} mm away from them", apart);
    if (lost || close) {
      add(facts, Severity::error, "grid", file, what + (lost ? ": the label's header was lost" : ""), "give the label the scan's header",
          Fix::take_grid);
      return label.volume;
    }
    const double share = overlap(have, other, want, place);
    add(facts, Severity::error, "grid", file, what,
        "look at both in a viewer: where the headers are right, resample the label onto the scan's grid; where the voxels correspond, copy the "
        "scan's header",
        share > 0.5 ? Fix::resample : Fix::none);
    return std::nullopt;
  }
  const double share = overlap(have, other, want, place);
  add(facts, Severity::error, "grid", file,
      fmt::format("{} voxels of {} mm, the scan {} of {} mm{}", to_string(have), sizes(image::spacing_of(other)), to_string(want),
                  sizes(image::spacing_of(place)), share == 0 ? ": they do not even overlap" : ""),
      share > 0.2 ? "resample the label onto the scan's grid (nearest neighbour)" : "this label belongs to another scan, or a header is wrong",
      share > 0.2 ? Fix::resample : Fix::none);
  return std::nullopt;
}

}  // namespace vesal::judge
