// Which slices of a series belong together.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "image/dicom_stack.h"

namespace vesal::image::dicom_stack {
namespace {

/// Directions are written with six digits; a tenth of a degree is another orientation.
constexpr double kSameDirection = 1e-3, kSameSpacing = 1e-3, kSameHeight = 1e-2;
constexpr std::size_t kMostStacks = 512;

bool same_direction(const Vector3& a, const Vector3& b) {
  return std::max({std::fabs(a[0] - b[0]), std::fabs(a[1] - b[1]), std::fabs(a[2] - b[2])}) < kSameDirection;
}

bool same_plane(const DicomSlice& a, const DicomSlice& b) {
  return a.format.rows == b.format.rows && a.format.columns == b.format.columns && a.sop_class == b.sop_class &&
         same_direction(a.along_row, b.along_row) && same_direction(a.down, b.down) &&
         std::fabs(a.row_spacing - b.row_spacing) < kSameSpacing * a.row_spacing &&
         std::fabs(a.column_spacing - b.column_spacing) < kSameSpacing * a.column_spacing;
}

/// What the slices of a group are sorted by: heights along the normal of its first slice.
void sort_by_height(std::vector<DicomSlice>& slices) {
  const Vector3 normal = normal_of(slices.front());
  std::stable_sort(slices.begin(), slices.end(), [&](const auto& a, const auto& b) { return dot(a.position, normal) < dot(b.position, normal); });
}

bool has_copies(const std::vector<DicomSlice>& sorted) { return std::adjacent_find(sorted.begin(), sorted.end(), same_height) != sorted.end(); }

struct Divider {
  const char* name;
  std::string (*value)(const DicomSlice&);
};
std::string text_of(const std::optional<double>& v) { return v ? fmt::format("{:g}", *v) : ""; }
const Divider kDividers[] = {
    {"time", [](const DicomSlice& s) { return text_of(s.temporal_position); }},
    {"echo time", [](const DicomSlice& s) { return text_of(s.echo_time); }},
    {"b value", [](const DicomSlice& s) { return text_of(s.b_value); }},
    {"type", [](const DicomSlice& s) { return s.image_type; }},
    {"trigger time", [](const DicomSlice& s) { return text_of(s.trigger_time); }},
    {"acquisition", [](const DicomSlice& s) { return text_of(s.acquisition); }},
};

/// Parts a group with several slices at one place by the first divider that gives parts of one size, and those parts by the next ones.
void divide(Group group, std::size_t first, std::vector<Group>& out) {
  sort_by_height(group.slices);
  if (has_copies(group.slices)) {
    for (std::size_t i = first; i < std::size(kDividers); ++i) {
      std::map<std::string, std::vector<DicomSlice>> parts;
      for (const DicomSlice& s : group.slices) parts[kDividers[i].value(s)].push_back(s);
      const bool even = std::all_of(parts.begin(), parts.end(), [&](const auto& p) { return p.second.size() == parts.begin()->second.size(); });
      if (parts.size() < 2 || !even) continue;
      for (auto& [value, slices] : parts)
        divide({group.part + (group.part.empty() ? "" : ", ") + kDividers[i].name + " " + value, std::move(slices)}, i + 1, out);
      return;
    }
  }
  out.push_back(std::move(group));
}

}  // namespace

double dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector3 minus(const Vector3& a, const Vector3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

bool same_height(const DicomSlice& a, const DicomSlice& b) { return std::fabs(dot(minus(b.position, a.position), normal_of(a))) < kSameHeight; }

std::vector<Group> groups_of(const std::vector<DicomSlice>& slices) {
  std::vector<Group> planes;
  for (const DicomSlice& s : slices) {
    const auto it = std::find_if(planes.begin(), planes.end(), [&](const Group& g) { return same_plane(g.slices.front(), s); });
    if (it != planes.end()) it->slices.push_back(s);
    else if (planes.size() < kMostStacks) planes.push_back({"", {s}});
    else throw Error(ErrorKind::geometry, fmt::format("slices of more than {} orientations and sizes in one series", kMostStacks));
  }
  std::vector<Group> out;
  for (std::size_t i = 0; i < planes.size(); ++i) {
    if (planes.size() > 1) planes[i].part = fmt::format("stack {}", i + 1);
    divide(std::move(planes[i]), 0, out);
  }
  return out;
}

}  // namespace vesal::image::dicom_stack
