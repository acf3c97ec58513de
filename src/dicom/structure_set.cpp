// RT Structure Set (PS3.3, A.19): closed planar contours on the source's slices. Implicit VR: an outline may be longer than the 64 KiB that an
// explicit DS can hold.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "dicom/contours.h"
#include "dicom/object.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

void put_references(DcmDataset& data, const Result& result) {
  const image::DicomSource& source = result.dicom_source();
  DcmItem& frame = add_item(data, DCM_ReferencedFrameOfReferenceSequence);
  put(frame, DCM_FrameOfReferenceUID, uids_of(source).frame_of_reference);
  DcmItem& study = add_item(frame, DCM_RTReferencedStudySequence);
  put(study, DCM_ReferencedSOPClassUID, UID_RETIRED_DetachedStudyManagementSOPClass);
  put(study, DCM_ReferencedSOPInstanceUID, uids_of(source).study);
  DcmItem& series = add_item(study, DCM_RTReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, uids_of(source).series);
  for (const image::DicomSlice& slice : source.slices()) put_reference(add_item(series, DCM_ContourImageSequence), slice);
}

/// At most 16 characters, to a thousandth of a millimetre.
std::string mm(double value) { return fmt::format("{:.3f}", std::fabs(value) < 0.0005 ? 0.0 : value); }

void put_contour(DcmItem& roi, const Contour& contour, const image::DicomSlice& slice) {
  DcmItem& item = add_item(roi, DCM_ContourSequence);
  put_reference(add_item(item, DCM_ContourImageSequence), slice);
  put(item, DCM_ContourGeometricType, "CLOSED_PLANAR");
  put(item, DCM_NumberOfContourPoints, std::to_string(contour.size()));
  std::string points;
  for (const auto& [x, y] : contour)
    for (std::size_t i = 0; i < 3; ++i) {
      const double at = slice.position[i] + x * slice.column_spacing * slice.along_row[i] + y * slice.row_spacing * slice.down[i];
      points += (points.empty() ? "" : "\\") + mm(at);
    }
  put(item, DCM_ContourData, points);
}

void put_contours(DcmItem& roi, const Result& result, const Segment& segment) {
  const image::DicomSource& source = result.dicom_source();
  const Array voxels = result.voxels_of(segment);
  // Frames of a tilted gantry do not lie on the mask's planes: there the whole of each is looked at.
  const bool tilted = source.volume().tilted;
  const std::int64_t x0 = tilted ? 0 : segment.low[0], x1 = tilted ? source.columns() : segment.high[0];
  const std::int64_t y0 = tilted ? 0 : segment.low[1], y1 = tilted ? source.rows() : segment.high[1];
  const std::int64_t z0 = tilted ? 0 : segment.low[2], z1 = tilted ? static_cast<std::int64_t>(source.slices().size()) : segment.high[2];
  if (segment.voxels == 0) return;
  for (std::int64_t z = z0; z < z1; ++z) {
    const Array plane = source.frame_of(voxels, z).slice(0, x0, x1).slice(1, y0, y1).permute(std::array{1, 0}).to(DType::i64).contiguous();
    for (Contour& c : contours_of(plane.data<std::int64_t>(), y1 - y0, x1 - x0, result.value_of(segment))) {
      for (auto& p : c) p = {p[0] + static_cast<double>(x0), p[1] + static_cast<double>(y0)};
      put_contour(roi, c, source.slices()[static_cast<std::size_t>(z)]);
    }
  }
}

void put_rois(DcmDataset& data, const Result& result) {
  for (std::size_t s = 0; s < result.segments.size(); ++s) {
    const Segment& segment = result.segments[s];
    const std::string number = std::to_string(s + 1);
    DcmItem& roi = add_item(data, DCM_StructureSetROISequence);
    put(roi, DCM_ROINumber, number);
    put(roi, DCM_ReferencedFrameOfReferenceUID, uids_of(result.dicom_source()).frame_of_reference);
    put(roi, DCM_ROIName, text_for(data, segment.name));
    put(roi, DCM_ROIVolume, ds(segment.ml));
    put(roi, DCM_ROIGenerationAlgorithm, "AUTOMATIC");
    put(roi, DCM_ROIGenerationDescription, text_for(data, result.bundle + " " + result.version));

    DcmItem& contours = add_item(data, DCM_ROIContourSequence);
    put(contours, DCM_ReferencedROINumber, number);
    put(contours, DCM_ROIDisplayColor, fmt::format("{}\\{}\\{}", segment.colour.r, segment.colour.g, segment.colour.b));
    put_contours(contours, result, segment);

    DcmItem& observation = add_item(data, DCM_RTROIObservationsSequence);
    put(observation, DCM_ObservationNumber, number);
    put(observation, DCM_ReferencedROINumber, number);
    put(observation, DCM_ROIObservationLabel, text_for(data, segment.name, 16));
    put_code(observation, DCM_RTROIIdentificationCodeSequence, segment.anatomy.type);
    put(observation, DCM_RTROIInterpretedType, segment.anatomy.region.empty() ? "ORGAN" : "");
    put(observation, DCM_ROIInterpreter, "");
  }
}

/// Fills the contours of a file on the grid of the slice that each of them names.
void prove(const std::filesystem::path& file, const Result& result) {
  DcmFileFormat format;
  check(format.loadFile(file.c_str()), "reading it back");
  std::map<std::pair<std::string, std::int64_t>, const image::DicomSlice*> slices;
  const image::DicomSource& source = result.dicom_source();
  for (const image::DicomSlice& s : source.slices()) slices[{s.sop_instance, s.format.frames > 1 ? s.frame + 1 : 1}] = &s;
  DcmSequenceOfItems* rois = nullptr;
  check(format.getDataset()->findAndGetSequence(DCM_ROIContourSequence, rois), "reading it back");
  if (rois->card() != result.segments.size()) throw Error(ErrorKind::geometry, "other regions when read back; nothing was written");
  for (unsigned long r = 0; r < rois->card(); ++r) {
    DcmSequenceOfItems* contours = nullptr;
    double count = 0;
    std::array<double, 3> sums{};
    double voxel = 0;
    if (rois->getItem(r)->findAndGetSequence(DCM_ContourSequence, contours).good()) {
      DcmObject* next = nullptr;
      while ((next = contours->nextInContainer(next))) {
        DcmItem& item = *static_cast<DcmItem*>(next);
        DcmItem* reference = nullptr;
        check(item.findAndGetSequenceItem(DCM_ContourImageSequence, reference), "reading it back");
        Sint32 frame = 1;
        if (reference->findAndGetSint32(DCM_ReferencedFrameNumber, frame).bad()) frame = 1;
        const auto named = slices.find({text_of(*reference, DCM_ReferencedSOPInstanceUID), frame});
        if (named == slices.end()) throw Error(ErrorKind::geometry, "a contour names no slice of the series");
        const image::DicomSlice& slice = *named->second;
        Sint32 points = 0;
        check(item.findAndGetSint32(DCM_NumberOfContourPoints, points), "reading it back");
        OFString text;
        check(item.findAndGetOFStringArray(DCM_ContourData, text), "reading it back");
        std::vector<double> values;
        for (const char* at = text.c_str(); *at;) {
          char* end = nullptr;
          values.push_back(std::strtod(at, &end));
          at = *end == '\\' ? end + 1 : end;
          if (*end && *end != '\\' && *end != ' ') throw Error(ErrorKind::format, "contour: no number");
          while (*at == ' ') ++at;
        }
        if (values.size() != 3 * static_cast<std::size_t>(points)) throw Error(ErrorKind::format, "contour: not as many points as it says");
        Contour contour;
        for (std::size_t i = 0; i < values.size(); i += 3) {
          double x = 0, y = 0;
          for (std::size_t k = 0; k < 3; ++k) {
            x += (values[i + k] - slice.position[k]) * slice.along_row[k] / slice.column_spacing;
            y += (values[i + k] - slice.position[k]) * slice.down[k] / slice.row_spacing;
          }
          contour.push_back({x, y});
        }
        double inside = 0, across = 0, down = 0;
        fill(contour, [&](std::int64_t x, std::int64_t y) { ++inside, across += static_cast<double>(x), down += static_cast<double>(y); });
        count += inside;
        for (std::size_t k = 0; k < 3; ++k)
          sums[k] += inside * slice.position[k] + across * slice.column_spacing * slice.along_row[k] + down * slice.row_spacing * slice.down[k];
        voxel = slice.column_spacing * slice.row_spacing * source.volume().step_along_normal() / 1000;
      }
    }
    Found found;
    found.ml = count * voxel;
    if (count > 0) found.centroid = {-sums[0] / count, -sums[1] / count, sums[2] / count};
    compare(result, result.segments[r], found);
  }
}

void write(const std::filesystem::path& path, const Result& result) {
  DcmDataset data;
  begin_object(data, result, {"rtstruct", UID_RTStructureSetStorage, "RTSTRUCT", "Structures: " + result.bundle, "9802"});
  put(data, DCM_OperatorsName, "");
  put(data, DCM_StructureSetLabel, text_for(data, result.bundle, 16));
  put(data, DCM_StructureSetName, text_for(data, result.bundle + " " + result.version));
  put(data, DCM_StructureSetDescription, text_for(data, result.warning.empty() ? result.task : result.warning, 1024));
  put(data, DCM_StructureSetDate, text_of(data, DCM_ContentDate));
  put(data, DCM_StructureSetTime, text_of(data, DCM_ContentTime));
  for (const DcmTagKey& tag : {DCM_ContentDate, DCM_ContentTime}) data.findAndDeleteElement(tag);
  put(data, DCM_ApprovalStatus, "UNAPPROVED");
  put_references(data, result);
  put_rois(data, result);
  save_object(path, data, true, [&](const std::filesystem::path& file) { prove(file, result); });
}

const RegisterResult rtstruct({"rtstruct", {".rtstruct.dcm"}, "DICOM RT structure set, contours on the slices", true, {}, write});

}  // namespace
}  // namespace vesal::dicom
