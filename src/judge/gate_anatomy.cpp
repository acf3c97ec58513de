// Which way round the patient lies: organs with a known side, and the spine behind.
//
// The Decathlon spleen scans are stored as LPS while their headers say RAS (Project-MONAI/model-zoo, issue 766): a network trained on them learns
// spleens on the right. Headers that lie about it are found by what is inside.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "image/statistics.h"
#include "judge/file_names.h"
#include "judge/gate_case.h"

namespace vesal::judge {
namespace {

using image::Affine;

/// +1: on the right of the patient (where x grows), -1: on the left, 0: in the middle or not known.
int side_of(const std::string& organ) {
  const std::string name = lower(organ);
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  if (has("left")) return -1;
  if (has("right")) return 1;
  if (has("spleen") || has("stomach") || name == "heart") return -1;
  if (has("liver") || has("gallbladder") || has("gall bladder")) return 1;
  return 0;
}

/// Voxels along one world axis: how many there are at each place.
struct Profile {
  std::vector<double> counts;
  double total() const {
    double sum = 0;
    for (const double c : counts) sum += c;
    return sum;
  }
  double mean() const {
    double moment = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) moment += counts[i] * static_cast<double>(i);
    return moment / total();
  }
  /// Where the share q of the mass lies before.
  double at(double q) const {
    double left = q * total();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] >= left) return static_cast<double>(i);
      left -= counts[i];
    }
    return static_cast<double>(counts.size() - 1);
  }
};

/// The volume with its axes along right, front and head. A view.
Array standing(const Array& volume, const Affine& affine) {
  const auto o = image::orientation_of(affine);
  std::array<int, 3> from{};
  Array out = volume;
  for (int i = 0; i < 3; ++i) {
    from[static_cast<std::size_t>(o.axis[static_cast<std::size_t>(i)])] = i;
    if (o.sign[static_cast<std::size_t>(i)] < 0) out = out.flip(i);
  }
  return out.permute(from);
}

/// Every nth voxel along each axis, so that about a million remain: enough for centres.
Array thinned(const Array& volume) {
  const auto step = std::max<std::int64_t>(1, std::llround(std::cbrt(static_cast<double>(volume.numel()) / 1e6)));
  Array out = volume;
  for (int axis = 0; axis < 3; ++axis) out = out.slice(axis, 0, out.size(axis), step);
  return out.contiguous();
}

struct Body {
  Profile across, front;
};

/// The body in the slices [low, high] of z.
Body body_in(const Array& scan, double threshold, std::int64_t low, std::int64_t high) {
  Body body;
  body.across.counts.assign(static_cast<std::size_t>(scan.size(0)), 0);
  body.front.counts.assign(static_cast<std::size_t>(scan.size(1)), 0);
  const float* v = scan.data<float>();
  for (std::int64_t x = 0; x < scan.size(0); ++x)
    for (std::int64_t y = 0; y < scan.size(1); ++y)
      for (std::int64_t z = 0; z < scan.size(2); ++z, ++v) {
        if (z < low || z > high || !(*v > threshold)) continue;
        ++body.across.counts[static_cast<std::size_t>(x)];
        ++body.front.counts[static_cast<std::size_t>(y)];
      }
  return body;
}

struct Organ {
  std::string name;
  int side;
  Profile across, along;
  std::int64_t low = 0, high = 0;
};

std::vector<Organ> sided_organs(const Array& label, const std::map<std::int64_t, std::string>& names) {
  std::map<std::int64_t, Organ> organs;
  for (const auto& [number, name] : names)
    if (const int side = side_of(name)) {
      Organ& o = organs[number];
      o.name = name;
      o.side = side;
      o.across.counts.assign(static_cast<std::size_t>(label.size(0)), 0);
      o.along.counts.assign(static_cast<std::size_t>(label.size(2)), 0);
    }
  const std::int64_t* v = label.data<std::int64_t>();
  for (std::int64_t x = 0; x < label.size(0); ++x)
    for (std::int64_t y = 0; y < label.size(1); ++y)
      for (std::int64_t z = 0; z < label.size(2); ++z, ++v) {
        if (*v == 0) continue;
        const auto o = organs.find(*v);
        if (o == organs.end()) continue;
        ++o->second.across.counts[static_cast<std::size_t>(x)];
        ++o->second.along.counts[static_cast<std::size_t>(z)];
      }
  std::vector<Organ> out;
  for (auto& [number, o] : organs) {
    if (o.across.total() < 20) continue;
    o.low = static_cast<std::int64_t>(o.along.at(0.02));
    o.high = static_cast<std::int64_t>(o.along.at(0.98));
    out.push_back(std::move(o));
  }
  return out;
}

/// How far in front of the middle of the body the bones near its long axis lie, in body depths: the spine makes that negative. Ribs and arms do
/// not count. Nothing if there are hardly any.
std::optional<double> bones_in_front(const Array& scan, double threshold) {
  const Body body = body_in(scan, threshold, 0, scan.size(2) - 1);
  const double left = body.across.at(0.02), right = body.across.at(0.98), depth = body.front.at(0.98) - body.front.at(0.02);
  if (body.across.total() < 100 || depth < 8) return std::nullopt;
  const auto begin = static_cast<std::int64_t>(left + 0.38 * (right - left)), end = static_cast<std::int64_t>(left + 0.62 * (right - left)) + 1;
  Profile bones;
  bones.counts.assign(static_cast<std::size_t>(scan.size(1)), 0);
  for (std::int64_t x = begin; x < std::min(end, scan.size(0)); ++x) {
    const float* v = scan.data<float>() + x * scan.size(1) * scan.size(2);
    for (std::int64_t y = 0; y < scan.size(1); ++y)
      for (std::int64_t z = 0; z < scan.size(2); ++z, ++v)
        if (*v > 250 && *v < 2000) ++bones.counts[static_cast<std::size_t>(y)];
  }
  if (bones.total() < 50 || bones.total() < 0.002 * body.front.total()) return std::nullopt;
  return (bones.mean() - body.front.at(0.5)) / depth;
}

constexpr double kSure = 0.05;  // of the body's width or depth

}  // namespace

void check_anatomy(const Opened& scan, const Array& label, const GateContext& context, CaseFacts& facts) {
  const Affine& affine = scan.image.affine;
  const Array voxels = thinned(standing(scan.volume, affine)).to(DType::f32);
  const Array map = thinned(standing(label, affine)).to(DType::i64);
  const image::Statistics s = image::statistics_of(voxels, {1, 99});
  const double threshold = facts.ct ? -300 : s.percentiles[0] + 0.1 * (s.percentiles[1] - s.percentiles[0]);

  std::string wrong, right;
  for (const Organ& organ : sided_organs(map, context.declared)) {
    const Body body = body_in(voxels, threshold, organ.low, organ.high);
    const double width = body.across.at(0.98) - body.across.at(0.02);
    if (body.across.total() < 100 || width < 8) continue;
    const double offset = (organ.across.mean() - (body.across.at(0.98) + body.across.at(0.02)) / 2) / width;
    if (std::fabs(offset) < kSure) continue;
    std::string& list = (offset > 0) == (organ.side > 0) ? right : wrong;
    list += (list.empty() ? "" : ", ") + organ.name;
  }
  std::optional<double> front;
  if (facts.ct) front = bones_in_front(voxels, threshold);
  const bool back_to_front = front && *front > kSure, back_behind = front && *front < -kSure;

  const std::filesystem::path& file = facts.source.image;
  if (!wrong.empty() && !right.empty()) {
    add(facts, Severity::error, "anatomy", facts.source.label,
        fmt::format("{} lie on the wrong side of the patient, {} on the proper one: labels were mixed up", wrong, right), "correct the label");
  } else if (!wrong.empty()) {
    const std::string what = fmt::format("by its header, {} lies on the wrong side of the patient", wrong);
    const std::string unless = "; unless this patient's organs are mirrored (situs inversus)";
    if (back_to_front)
      add(facts, Severity::error, "anatomy", file, what + " and the spine in front: stored as LPS while the header says RAS, or the like",
          "turn the headers of scan and label by half a turn about the long axis" + unless, Fix::turn_z);
    else if (back_behind)
      add(facts, Severity::error, "anatomy", file, what + ", the spine where it should be: left and right are exchanged",
          "exchange left and right in the headers of scan and label" + unless, Fix::mirror_x);
    else add(facts, Severity::error, "anatomy", file, what, "compare with the DICOM series which axis is wrong, and correct both headers" + unless);
  } else if (back_to_front) {
    if (right.empty())
      add(facts, Severity::warning, "anatomy", file, "by its header the spine lies in front",
          "compare with the DICOM series which axis is wrong; a patient who lies on the belly has the spine behind all the same");
    else
      add(facts, Severity::error, "anatomy", file,
          fmt::format("by its header the spine lies in front, but {} on the proper side: front and back are exchanged", right),
          "exchange front and back in the headers of scan and label", Fix::mirror_y);
  }
}

}  // namespace vesal::judge
