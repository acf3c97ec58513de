// One file's header to slices: classic images, and enhanced ones with their functional groups (PS3.3, C.7.6.16).
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "image/dicom_study.h"

namespace vesal::image {
namespace {

constexpr DicomTag kShared = 0x52009229, kPerFrame = 0x52009230;

/// The item of a functional group: the frame's own, else the shared one, else an empty data set.
DicomDataset group_of(const DicomDataset& frame, const DicomDataset& shared, DicomTag tag) {
  return frame.contains(tag) ? frame.first_item(tag) : shared.first_item(tag);
}

void set_position(DicomSlice& s, const DicomDataset& data) {
  const auto p = data.numbers(0x00200032);
  if (p.size() != 3) throw Error(ErrorKind::geometry, "no ImagePositionPatient (0020,0032)");
  constexpr double kFarthest = 1e6;  // mm; sums and products of places stay finite
  for (const double v : p)
    if (std::fabs(v) > kFarthest) throw Error(ErrorKind::geometry, "ImagePositionPatient (0020,0032) is absurd");
  s.position = {p[0], p[1], p[2]};
}

void set_orientation(DicomSlice& s, const DicomDataset& data) {
  const auto o = data.numbers(0x00200037);
  if (o.size() != 6) throw Error(ErrorKind::geometry, "no ImageOrientationPatient (0020,0037)");
  s.along_row = {o[0], o[1], o[2]};
  s.down = {o[3], o[4], o[5]};
  const auto dot = [](const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; };
  const double rr = std::sqrt(dot(s.along_row, s.along_row)), dd = std::sqrt(dot(s.down, s.down));
  // Directions are written with few digits; more than that is wrong.
  constexpr double kTolerance = 1e-2;
  if (!(std::fabs(rr - 1) < kTolerance && std::fabs(dd - 1) < kTolerance && std::fabs(dot(s.along_row, s.down)) < kTolerance))
    throw Error(ErrorKind::geometry, "ImageOrientationPatient (0020,0037) is no pair of perpendicular unit vectors");
  for (int i = 0; i < 3; ++i) s.along_row[i] /= rr, s.down[i] /= dd;
}

void set_spacing(DicomSlice& s, const DicomDataset& data) {
  const auto p = data.numbers(0x00280030);
  if (p.size() != 2 || !(p[0] > 1e-6 && p[1] > 1e-6 && p[0] < 1e4 && p[1] < 1e4))
    throw Error(ErrorKind::geometry, "no usable PixelSpacing (0028,0030)");
  s.row_spacing = p[0];
  s.column_spacing = p[1];
  s.thickness = data.number(0x00180050);
  if (const auto between = data.number(0x00180088)) s.declared_spacing = between;
}

void set_rescale(DicomSlice& s, const DicomDataset& data) {
  const auto slope = data.number(0x00281053), intercept = data.number(0x00281052);
  s.has_rescale = slope.has_value() && intercept.has_value();
  s.slope = slope.value_or(1);
  s.intercept = intercept.value_or(0);
  if (s.slope == 0) throw Error(ErrorKind::format, "RescaleSlope (0028,1053) is 0");
}

/// PixelPaddingValue is US or SS as the pixels are; some writers have the other, so it is read as the pixels' bits.
std::optional<std::pair<std::int64_t, std::int64_t>> padding_of(const DicomDataset& data, const DicomPixelFormat& format) {
  const auto value = data.number(0x00280120);
  if (!value) return std::nullopt;
  const auto as_stored = [&](double v) {
    auto n = static_cast<std::int64_t>(v);
    const std::int64_t all = std::int64_t{1} << format.allocated;
    if (format.is_signed && n >= all / 2) n -= all;
    if (!format.is_signed && n < 0) n += all;
    return n;
  };
  const std::int64_t a = as_stored(*value), b = as_stored(data.number(0x00280121).value_or(*value));
  return std::pair(std::min(a, b), std::max(a, b));
}

DicomSlice common(const DicomFile& file, const DicomObject& object) {
  const DicomDataset& d = object.data();
  DicomSlice s;
  s.file = file;
  s.sop_class = object.sop_class();
  s.sop_instance = object.sop_instance();
  s.transfer_syntax = object.transfer_syntax();
  s.image_type = d.text(0x00080008);
  s.format = pixel_format_of(d);
  s.padding = padding_of(d, s.format);
  s.lossy = d.text(0x00282110) == "01" || transfer_syntax_name(s.transfer_syntax).ends_with("lossy");
  if (d.pixels_cut() > 0) s.damage = fmt::format("cut short: {} bytes of its pixels are missing", d.pixels_cut());
  else if (!d.contains(kPixelData)) s.damage = "it has no pixels";
  try {
    check_transfer_syntax(s.transfer_syntax);
  } catch (const Error& e) { s.damage = e.what(); }
  return s;
}

void add_classic(const DicomDataset& d, DicomSlice s, std::vector<DicomSlice>& out) {
  set_position(s, d);
  set_orientation(s, d);
  set_spacing(s, d);
  set_rescale(s, d);
  s.echo_time = d.number(0x00180081);
  s.b_value = d.number(0x00189087);
  s.temporal_position = d.number(0x00200100);
  s.acquisition = d.number(0x00200012);
  s.trigger_time = d.number(0x00181060);
  out.push_back(std::move(s));
}

void add_frames(const DicomDataset& d, const DicomSlice& file, std::vector<DicomSlice>& out) {
  const DicomDataset shared = d.first_item(kShared);
  const auto frames = d.items(kPerFrame);
  if (static_cast<std::int64_t>(frames.size()) != file.format.frames)
    throw Error(ErrorKind::format, fmt::format("{} frames with {} sets of functional groups", file.format.frames, frames.size()));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    with_context(fmt::format("frame {}", i + 1), [&] {
      DicomSlice s = file;
      s.frame = static_cast<std::int64_t>(i);
      const auto group = [&](DicomTag tag) { return group_of(frames[i], shared, tag); };
      set_position(s, group(0x00209113));
      set_orientation(s, group(0x00209116));
      set_spacing(s, group(0x00289110));
      set_rescale(s, group(0x00289145));
      for (const DicomTag type : {0x00189329u, 0x00189226u, 0x00189751u})  // frame types of CT, MR, PET
        if (const DicomDataset own = group(type); own.contains(0x00089007)) s.image_type = own.text(0x00089007);
      s.echo_time = group(0x00189114).number(0x00189082);
      s.b_value = group(0x00189117).number(0x00189087);
      const DicomDataset content = group(0x00209111);
      s.temporal_position = content.number(0x00209128);
      s.acquisition = content.number(0x00209156);
      out.push_back(std::move(s));
    });
  }
}

void add_slices(const DicomFile& file, const DicomObject& object, std::vector<DicomSlice>& out) {
  const DicomSlice slice = common(file, object);
  if (object.data().contains(kPerFrame)) add_frames(object.data(), slice, out);
  else if (slice.format.frames == 1) add_classic(object.data(), slice, out);
  else throw Error(ErrorKind::geometry, "several frames without a place: no functional groups (5200,9230)");
}

}  // namespace

Vector3 normal_of(const DicomSlice& s) {
  const Vector3 &a = s.along_row, &b = s.down;
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

DicomContents read_dicom_contents(const DicomFile& file, const DicomObject& object) {
  const DicomDataset& d = object.data();
  DicomContents out;
  DicomSeries& series = out.series;
  const auto sets = d.texts(0x00080005);
  const auto text = [&](DicomTag tag) { return to_utf8(d.text(tag), sets); };
  series.study_uid = d.text(0x0020000d);
  series.series_uid = d.text(0x0020000e);
  series.frame_of_reference = d.text(0x00200052);
  series.modality = d.text(0x00080060);
  series.description = text(0x0008103e);
  series.body_part = text(0x00180015);
  series.protocol = text(0x00181030);
  series.number = d.text(0x00200011);
  series.study_description = text(0x00081030);
  series.study_date = d.text(0x00080020);
  series.accession = text(0x00080050);
  series.manufacturer = text(0x00080070);
  series.patient_name = text(0x00100010);
  series.patient_id = text(0x00100020);

  const std::string& sop_class = object.sop_class();
  if (!is_volumetric(sop_class)) {
    out.left_out = sop_class_name(sop_class);
    return out;
  }
  try {
    add_slices(file, object, series.slices);
    std::erase_if(series.slices, [](const DicomSlice& s) { return s.image_type.find("LOCALIZER") != std::string::npos; });
    if (series.slices.empty()) out.left_out = "localizer";
  } catch (const Error& e) {
    series.slices.clear();
    // What says nothing of its place is no slice; what contradicts itself is a damaged one.
    (e.kind() == ErrorKind::format ? out.damage : out.left_out) = e.what();
  }
  return out;
}

}  // namespace vesal::image
