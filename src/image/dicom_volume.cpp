#include "image/dicom_volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "image/dicom_stack.h"
#include "image/dicom_tilt.h"

namespace vesal::image {
namespace {

using dicom_stack::dot;

/// Columns in LPS to an affine in RAS.
Affine ras(const Vector3& x, const Vector3& y, const Vector3& z, const Vector3& origin) {
  Affine a;
  const Vector3* columns[] = {&x, &y, &z, &origin};
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 4; ++column) {
      const double v = (*columns[column])[static_cast<std::size_t>(row)];
      a(row, column) = row < 2 && v != 0 ? -v : v;
    }
  return a;
}

Vector3 times(const Vector3& v, double factor) { return {v[0] * factor, v[1] * factor, v[2] * factor}; }
Vector3 plus(const Vector3& a, const Vector3& b) { return {a[0] + b[0], a[1] + b[1], a[2] + b[2]}; }

}  // namespace

double DicomVolume::step_along_normal() const { return dot(step, normal_of(slices.front())); }

Shape DicomVolume::shape() const {
  const Tilt tilt = tilt_of(*this);
  const DicomPixelFormat& f = slices.front().format;
  return {f.columns + tilt.more_columns, f.rows + tilt.more_rows, static_cast<std::int64_t>(slices.size())};
}

Affine DicomVolume::affine() const {
  const DicomSlice& s = slices.front();
  const Tilt tilt = tilt_of(*this);
  const Vector3 x = times(s.along_row, s.column_spacing), y = times(s.down, s.row_spacing);
  const Vector3 z = tilted ? times(normal_of(s), step_along_normal()) : step;
  return ras(x, y, z, plus(s.position, plus(times(x, -tilt.before_x), times(y, -tilt.before_y))));
}

std::string DicomVolume::plane() const {
  const Vector3 n = normal_of(slices.front());
  constexpr double kAligned = 0.9;  // within 26 degrees
  constexpr const char* kNames[] = {"sagittal", "coronal", "axial"};
  for (int i = 0; i < 3; ++i)
    if (std::fabs(n[i]) > kAligned) return kNames[i];
  return "oblique";
}

std::string DicomVolume::describe() const {
  const DicomSlice& s = slices.front();
  const std::string name = series.description.empty() ? "" : fmt::format(" '{}'", series.description);
  return fmt::format("{}{}{}, {} {} of {} x {}, {:.3g} x {:.3g} x {:.3g} mm, {}", series.modality.empty() ? "series" : series.modality, name,
                     part.empty() ? "" : " (" + part + ")", slices.size(), slices.size() == 1 ? "slice" : "slices", s.format.columns, s.format.rows,
                     s.column_spacing, s.row_spacing, step_along_normal(), plane());
}

std::vector<DicomVolume> volumes_of(const DicomSeries& series) {
  DicomSeries facts = series;
  facts.slices.clear();
  std::vector<DicomVolume> out;
  for (auto& group : dicom_stack::groups_of(series.slices)) {
    DicomVolume v;
    v.series = facts;
    v.part = std::move(group.part);
    v.slices = std::move(group.slices);
    dicom_stack::settle_copies(v);
    if (v.refusal.empty()) dicom_stack::measure(v);
    dicom_stack::judge(v);
    out.push_back(std::move(v));
  }
  std::stable_sort(out.begin(), out.end(), [](const DicomVolume& a, const DicomVolume& b) { return a.slices.size() > b.slices.size(); });
  return out;
}

DicomSource::DicomSource(DicomVolume volume) : volume_(std::move(volume)) {}

Affine DicomSource::frame_affine(std::int64_t z) const {
  const DicomSlice& s = volume_.slices.at(static_cast<std::size_t>(z));
  return ras(times(s.along_row, s.column_spacing), times(s.down, s.row_spacing), normal_of(s), s.position);
}

Array DicomSource::frame_of(const Array& voxels, std::int64_t z) const {
  if (voxels.shape() != volume_.shape())
    throw Error(ErrorKind::shape,
                "voxels " + to_string(voxels.shape()) + " are not on the grid " + to_string(volume_.shape()) + " of the DICOM series");
  const Array plane = voxels.select(2, z);
  if (!volume_.tilted) return plane;
  const Tilt tilt = tilt_of(volume_);
  const auto x0 = static_cast<std::int64_t>(std::lround(tilt.shift_x(z))), y0 = static_cast<std::int64_t>(std::lround(tilt.shift_y(z)));
  return plane.slice(0, x0, x0 + columns()).slice(1, y0, y0 + rows());
}

std::shared_ptr<const DicomSource> dicom_source_of(const Image& image) {
  const Value* source = image.meta.find("dicom");
  return source ? source->object<DicomSource>() : nullptr;
}

}  // namespace vesal::image
