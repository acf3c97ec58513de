// Whether slices make a volume: copies, gaps, steps, tilt.
#include "image/dicom_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vesal::image::dicom_stack {
namespace {

/// A drift of the stack sideways by less than this is an affine's matter; more is a tilted gantry, whose grid networks do not know.
constexpr double kTiltPixels = 0.5;

std::string name_of(const DicomSlice& s) { return s.format.frames > 1 ? fmt::format("{} frame {}", s.file.name(), s.frame + 1) : s.file.name(); }

std::string place_of(const DicomSlice& s) { return fmt::format("({:.2f}, {:.2f}, {:.2f})", s.position[0], s.position[1], s.position[2]); }

bool same_pixels(const DicomSlice& a, const DicomSlice& b) {
  if (a.format != b.format || a.slope != b.slope || a.intercept != b.intercept || !a.damage.empty() || !b.damage.empty()) return false;
  const auto frame = [](const DicomSlice& s) { return DicomPixels(std::make_shared<DicomObject>(s.file)).frame(s.frame); };
  const DicomPixels::Frame x = frame(a), y = frame(b);
  return x.swapped == y.swapped && std::memcmp(x.bytes.data(), y.bytes.data(), x.bytes.size()) == 0;
}

std::vector<double> heights_of(const DicomVolume& v) {
  const Vector3 normal = normal_of(v.slices.front());
  std::vector<double> out;
  for (const DicomSlice& s : v.slices) out.push_back(dot(minus(s.position, v.slices.front().position), normal));
  return out;
}

/// What is wrong with heights that are not even, in words: one slice missing, several, or no order at all.
std::string unevenness(const DicomVolume& v, const std::vector<double>& heights) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < heights.size(); ++i) steps.push_back(heights[i] - heights[i - 1]);
  std::vector<double> sorted = steps;
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted[(sorted.size() - 1) / 2];
  std::size_t missing = 0, gaps = 0;
  std::string where;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double times = std::round(steps[i] / usual);
    if (times < 1 || std::fabs(steps[i] - times * usual) > std::max(kDicomTolerance * usual * times, kDicomToleranceMm))
      return fmt::format("its slices are not evenly spaced: steps from {:.4g} to {:.4g} mm, mostly {:.4g}", sorted.front(), sorted.back(), usual);
    if (times < 2) continue;
    missing += static_cast<std::size_t>(std::min(times - 1, 1e6));
    if (gaps++ == 0)
      where = fmt::format("between {} at {} and {} at {}", name_of(v.slices[i]), place_of(v.slices[i]), name_of(v.slices[i + 1]),
                          place_of(v.slices[i + 1]));
  }
  return fmt::format("{} missing {}{}; {} there, {:.4g} mm apart", missing == 1 ? "one slice is" : fmt::format("{} slices are", missing), where,
                     gaps > 1 ? " and elsewhere" : "", v.slices.size(), usual);
}

/// The only slice of a volume says itself how thick it is.
void measure_one(DicomVolume& v) {
  const DicomSlice& s = v.slices.front();
  double step = s.declared_spacing.value_or(s.thickness.value_or(0));
  if (!(step > 0 && step < 1e4)) step = 1;
  v.findings.push_back(
      fmt::format("a single slice, taken to be {:.4g} mm thick as its header {}", step, s.declared_spacing || s.thickness ? "says" : "does not say"));
  const Vector3 normal = normal_of(s);
  v.step = {normal[0] * step, normal[1] * step, normal[2] * step};
}

/// Some scanners declare 0 as padding and mean water by it, too.
bool ignore_padding_in_tissue(std::vector<DicomSlice>& slices) {
  constexpr double kTissueLow = -1000, kTissueHigh = 3071;
  bool ignored = false;
  for (DicomSlice& s : slices) {
    if (!s.padding) continue;
    const double a = static_cast<double>(s.padding->first) * s.slope + s.intercept,
                 b = static_cast<double>(s.padding->second) * s.slope + s.intercept;
    if (std::max(a, b) < kTissueLow || std::min(a, b) > kTissueHigh) continue;
    s.padding.reset();
    ignored = true;
  }
  return ignored;
}

}  // namespace

void settle_copies(DicomVolume& v) {
  std::vector<DicomSlice> kept;
  std::size_t dropped = 0;
  for (DicomSlice& s : v.slices) {
    if (kept.empty() || !same_height(kept.back(), s)) {
      kept.push_back(std::move(s));
      continue;
    }
    bool same = false;
    try {
      const Vector3 apart = minus(s.position, kept.back().position);
      same = dot(apart, apart) < 1e-4 && same_pixels(kept.back(), s);
    } catch (const Error& e) {
      v.refusal = e.what();
      return;
    }
    if (!same) {
      v.refusal =
          fmt::format("{} and {} lie at one height, {} and {}, and differ", name_of(kept.back()), name_of(s), place_of(kept.back()), place_of(s));
      return;
    }
    ++dropped;
  }
  v.slices = std::move(kept);
  if (dropped > 0)
    v.findings.push_back(fmt::format("{} repeated: the same pixels at the same place; dropped",
                                     dropped == 1 ? "one slice is" : fmt::format("{} slices are", dropped)));
}

void measure(DicomVolume& v) {
  const std::size_t n = v.slices.size();
  if (n == 1) return measure_one(v);
  const DicomSlice& first = v.slices.front();
  const Vector3 whole = minus(v.slices.back().position, first.position);
  for (int i = 0; i < 3; ++i) v.step[i] = whole[i] / static_cast<double>(n - 1);
  const std::vector<double> heights = heights_of(v);
  const double step = heights.back() / static_cast<double>(n - 1), tolerance = std::max(kDicomTolerance * step, kDicomToleranceMm);
  double sideways = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double k = static_cast<double>(i);
    if (std::fabs(heights[i] - k * step) > tolerance) {
      v.refusal = unevenness(v, heights);
      return;
    }
    const Vector3 off = minus(minus(v.slices[i].position, first.position), {k * v.step[0], k * v.step[1], k * v.step[2]});
    sideways = std::max({sideways, std::fabs(dot(off, first.along_row)) / first.column_spacing, std::fabs(dot(off, first.down)) / first.row_spacing});
  }
  if (sideways > kTiltPixels) {
    v.refusal = fmt::format("its slices are shifted sideways unevenly, by up to {:.1f} pixels", sideways);
    return;
  }
  const double drift_x = dot(whole, first.along_row) / first.column_spacing, drift_y = dot(whole, first.down) / first.row_spacing;
  v.tilted = std::max(std::fabs(drift_x), std::fabs(drift_y)) > kTiltPixels;
  if (!v.tilted) return;
  const double sine = std::hypot(dot(v.step, first.along_row), dot(v.step, first.down));
  v.findings.push_back(fmt::format("the gantry was tilted by {:.1f} degrees: resampled upright; results go back to the frames as they are",
                                   std::atan2(sine, step) * 180 / M_PI));
}

void judge(DicomVolume& v) {
  const auto all = [&](auto&& is) { return std::all_of(v.slices.begin(), v.slices.end(), is); };
  const auto bad = std::find_if(v.slices.begin(), v.slices.end(), [](const DicomSlice& s) { return !s.damage.empty(); });
  if (bad != v.slices.end()) v.refusal = name_of(*bad) + ": " + bad->damage;
  else if (!v.series.damaged.empty()) v.refusal = v.series.damaged.front().first + ": " + v.series.damaged.front().second;
  const bool rescaled = v.slices.front().has_rescale;
  if (!all([&](const DicomSlice& s) { return s.has_rescale == rescaled; })) v.refusal = "only some of its slices say how to rescale their values";
  const bool ct = v.series.modality == "CT";
  if (ct && !rescaled) v.findings.emplace_back("no RescaleSlope and RescaleIntercept: the stored values are taken as HU");
  if (ct && ignore_padding_in_tissue(v.slices)) v.findings.emplace_back("its PixelPaddingValue is a HU that tissue has: left as it is");
  if (!all([](const DicomSlice& s) { return !s.lossy; })) v.findings.emplace_back("its pixels were compressed with losses");
  if (!all([](const DicomSlice& s) { return s.format.photometric != "MONOCHROME1"; }))
    v.findings.emplace_back(ct ? "MONOCHROME1: HU are kept as they are" : "MONOCHROME1: its values are turned round");
  if (const auto& t = v.slices.front().thickness;
      v.refusal.empty() && v.slices.size() > 1 && t && std::fabs(*t - v.step_along_normal()) > kDicomTolerance * *t)
    v.findings.push_back(fmt::format("SliceThickness is {:.4g} mm, the slices lie {:.4g} mm apart", *t, v.step_along_normal()));
}

}  // namespace vesal::image::dicom_stack
