// DICOM SEG (PS3.3, A.51): BINARY, one segment per class, only frames with something in them, a bit per pixel.
#include "dicom/segmentation.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <unordered_map>

#include "dicom/object.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

/// Which planes have which segment, and where its frame lies: frames go segment by segment, along the slices.
struct Frames {
  struct Frame {
    std::size_t segment;
    std::int64_t plane;
  };
  std::vector<Frame> list;
  std::vector<std::uint8_t> bits;  ///< frames one after the other without padding between them (PS3.5, 8.1.1)
};

/// A plane of labels, row by row.
Array plane_of(const image::DicomSource& source, const Array& voxels, std::int64_t z) {
  return source.frame_of(voxels, z).permute(std::array{1, 0}).to(DType::i64).contiguous();
}

Frames frames_of(const Result& result) {
  const image::DicomSource& source = result.dicom_source();
  const auto planes = static_cast<std::int64_t>(source.slices().size());
  const auto pixels = static_cast<std::uint64_t>(source.columns() * source.rows());
  const bool several = result.mask.shape()[0] > 1;
  std::unordered_map<std::int64_t, std::size_t> number;
  for (std::size_t s = 0; s < result.segments.size(); ++s) number[result.segments[s].label] = s;

  std::vector<std::vector<std::int64_t>> at(result.segments.size(), std::vector<std::int64_t>(static_cast<std::size_t>(planes), -1));
  // Calls `use` for each pixel of each segment; the second time round the frames are known.
  const auto visit = [&](const auto& use) {
    for (std::int64_t z = 0; z < planes; ++z) {
      for (std::size_t layer = 0; layer < (several ? result.segments.size() : 1); ++layer) {
        const Array plane = plane_of(source, result.voxels_of(result.segments[layer]), z);
        const std::int64_t* p = plane.data<std::int64_t>();
        std::int64_t last = 0;
        std::size_t segment = layer;
        for (std::uint64_t i = 0; i < pixels; ++i) {
          if (p[i] == 0) continue;
          if (!several && p[i] != last) segment = number.at(last = p[i]);
          use(segment, z, i);
        }
      }
    }
  };
  visit([&](std::size_t segment, std::int64_t z, std::uint64_t) { at[segment][static_cast<std::size_t>(z)] = 0; });
  Frames frames;
  for (std::size_t s = 0; s < at.size(); ++s)
    for (std::int64_t z = 0; z < planes; ++z)
      if (at[s][static_cast<std::size_t>(z)] == 0) {
        at[s][static_cast<std::size_t>(z)] = static_cast<std::int64_t>(frames.list.size());
        frames.list.push_back({s, z});
      }
  if (frames.list.empty()) frames.list.push_back({0, 0});  // an object without frames is none: nothing was found, on one frame
  const std::uint64_t bytes = (frames.list.size() * pixels + 7) / 8;
  if (bytes > 0xfffffff0u)
    throw Error(ErrorKind::unsupported,
                fmt::format("{} frames take more than the 4 GiB that a DICOM object can hold; write fewer classes", frames.list.size()));
  frames.bits.assign((bytes + 1) / 2 * 2, 0);
  visit([&](std::size_t segment, std::int64_t z, std::uint64_t pixel) {
    const std::uint64_t bit = static_cast<std::uint64_t>(at[segment][static_cast<std::size_t>(z)]) * pixels + pixel;
    frames.bits[bit / 8] = static_cast<std::uint8_t>(frames.bits[bit / 8] | 1u << (bit % 8));
  });
  return frames;
}

void put_segments(DcmDataset& data, const Result& result) {
  for (std::size_t s = 0; s < result.segments.size(); ++s) {
    const Segment& segment = result.segments[s];
    DcmItem& item = add_item(data, DCM_SegmentSequence);
    check(item.putAndInsertUint16(DCM_SegmentNumber, static_cast<Uint16>(s + 1)), "segment");
    put(item, DCM_SegmentLabel, text_for(data, segment.name));
    put(item, DCM_SegmentDescription, text_for(data, fmt::format("{}, {:.2f} ml", segment.name, segment.ml)));
    put(item, DCM_SegmentAlgorithmType, "AUTOMATIC");
    put(item, DCM_SegmentAlgorithmName, text_for(data, result.bundle + " " + result.version));
    put_algorithm(item, DCM_SegmentationAlgorithmIdentificationSequence, result, data);
    const auto colour = cielab(segment.colour);
    check(item.putAndInsertUint16Array(DCM_RecommendedDisplayCIELabValue, colour.data(), 3), "segment");
    put_code(item, DCM_SegmentedPropertyCategoryCodeSequence, segment.anatomy.category);
    put_code(item, DCM_SegmentedPropertyTypeCodeSequence, segment.anatomy.type);
    DcmItem* type = nullptr;
    check(item.findAndGetSequenceItem(DCM_SegmentedPropertyTypeCodeSequence, type), "segment");
    if (!segment.anatomy.modifier.empty()) put_code(*type, DCM_SegmentedPropertyTypeModifierCodeSequence, segment.anatomy.modifier);
    if (!segment.anatomy.region.empty()) {
      put_code(item, DCM_AnatomicRegionSequence, segment.anatomy.region);
      DcmItem* region = nullptr;
      check(item.findAndGetSequenceItem(DCM_AnatomicRegionSequence, region), "segment");
      if (!segment.anatomy.region_modifier.empty()) put_code(*region, DCM_AnatomicRegionModifierSequence, segment.anatomy.region_modifier);
    }
    put(item, DCM_TrackingID, text_for(data, segment.name));
    put(item, DCM_TrackingUID, tracking_uid(result, segment));
  }
}

void put_dimensions(DcmDataset& data, const Result& result) {
  const std::string uid = result.uid("seg", "dimensions");
  put(add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
  const auto index = [&](const DcmTagKey& pointer, const DcmTagKey& group, const char* label) {
    DcmItem& item = add_item(data, DCM_DimensionIndexSequence);
    check(item.putAndInsertTagKey(DCM_DimensionIndexPointer, pointer), "dimension");
    check(item.putAndInsertTagKey(DCM_FunctionalGroupPointer, group), "dimension");
    put(item, DCM_DimensionOrganizationUID, uid);
    put(item, DCM_DimensionDescriptionLabel, label);
  };
  index(DCM_ReferencedSegmentNumber, DCM_SegmentIdentificationSequence, "Segment");
  index(DCM_ImagePositionPatient, DCM_PlanePositionSequence, "Position");
}

void put_frames(DcmDataset& data, const Result& result, const Frames& frames) {
  const image::DicomSource& source = result.dicom_source();
  const image::DicomSlice& first = source.slices()[0];
  DcmItem& shared = add_item(data, DCM_SharedFunctionalGroupsSequence);
  const auto& r = first.along_row;
  const auto& d = first.down;
  put(add_item(shared, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient,
      ds(r[0]) + "\\" + ds(r[1]) + "\\" + ds(r[2]) + "\\" + ds(d[0]) + "\\" + ds(d[1]) + "\\" + ds(d[2]));
  DcmItem& measures = add_item(shared, DCM_PixelMeasuresSequence);
  // As far as the slices lie apart: a thickness that overlaps or leaves gaps would be wrong for volumes.
  const std::string step = ds(source.volume().step_along_normal());
  put(measures, DCM_SliceThickness, step);
  put(measures, DCM_SpacingBetweenSlices, step);
  put(measures, DCM_PixelSpacing, ds(first.row_spacing) + "\\" + ds(first.column_spacing));

  for (const Frames::Frame& frame : frames.list) {
    const image::DicomSlice& slice = source.slices()[static_cast<std::size_t>(frame.plane)];
    DcmItem& item = add_item(data, DCM_PerFrameFunctionalGroupsSequence);
    DcmItem& derivation = add_item(item, DCM_DerivationImageSequence);
    put_code(derivation, DCM_DerivationCodeSequence, {"113076", "DCM", "Segmentation"});
    DcmItem& image = add_item(derivation, DCM_SourceImageSequence);
    put_reference(image, slice);
    put_code(image, DCM_PurposeOfReferenceCodeSequence, {"121322", "DCM", "Source image for image processing operation"});
    const Uint32 indices[2] = {static_cast<Uint32>(frame.segment + 1), static_cast<Uint32>(frame.plane + 1)};
    check(add_item(item, DCM_FrameContentSequence).putAndInsertUint32Array(DCM_DimensionIndexValues, indices, 2), "frame");
    put(add_item(item, DCM_PlanePositionSequence), DCM_ImagePositionPatient,
        ds(slice.position[0]) + "\\" + ds(slice.position[1]) + "\\" + ds(slice.position[2]));
    check(add_item(item, DCM_SegmentIdentificationSequence).putAndInsertUint16(DCM_ReferencedSegmentNumber, static_cast<Uint16>(frame.segment + 1)),
          "frame");
  }
}

void put_pixels(DcmDataset& data, const Result& result, const Frames& frames) {
  const image::DicomSource& source = result.dicom_source();
  put(data, DCM_ImageType, "DERIVED\\PRIMARY");
  put(data, DCM_SegmentationType, "BINARY");
  put(data, DCM_ContentLabel, "SEGMENTATION");
  put(data, DCM_ContentDescription, text_for(data, result.task.empty() ? result.bundle : result.task));
  put(data, DCM_ContentCreatorName, "vesal");
  put(data, DCM_NumberOfFrames, std::to_string(frames.list.size()));
  put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
  put(data, DCM_BurnedInAnnotation, "NO");
  put_lossy(data, source);
  const auto us = [&](const DcmTagKey& tag, std::int64_t value) { check(data.putAndInsertUint16(tag, static_cast<Uint16>(value)), "pixels"); };
  us(DCM_SamplesPerPixel, 1);
  us(DCM_Rows, source.rows());
  us(DCM_Columns, source.columns());
  us(DCM_BitsAllocated, 1);
  us(DCM_BitsStored, 1);
  us(DCM_HighBit, 0);
  us(DCM_PixelRepresentation, 0);
  put(data, DCM_SegmentsOverlap, result.mask.shape()[0] > 1 ? "UNDEFINED" : "NO");
  check(data.putAndInsertUint8Array(DCM_PixelData, frames.bits.data(), static_cast<unsigned long>(frames.bits.size())), "pixels", ErrorKind::memory);
}

void write(const std::filesystem::path& path, const Result& result) {
  DcmDataset data;
  begin_object(data, result, {"seg", UID_SegmentationStorage, "SEG", "Segmentation: " + result.bundle, "9801"});
  const Frames frames = frames_of(result);
  put_pixels(data, result, frames);
  put_segments(data, result);
  put_dimensions(data, result);
  put_frames(data, result, frames);
  put_instances(data, result);
  save_object(path, data, false, [&](const std::filesystem::path& file) { prove_segmentation(file, result); });
}

const RegisterResult seg({"seg", {".seg.dcm", ".dcm"}, "DICOM segmentation, a segment for each class", true, {}, write});

}  // namespace

std::string tracking_uid(const Result& result, const Segment& segment) { return result.uid("tracking", std::to_string(segment.label)); }

}  // namespace vesal::dicom
