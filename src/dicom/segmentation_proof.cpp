#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cmath>

#include "dicom/segmentation.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

std::vector<double> numbers(DcmItem& item, const DcmTagKey& tag, std::size_t want) {
  std::vector<double> values(want);
  for (std::size_t i = 0; i < want; ++i) check(item.findAndGetFloat64(tag, values[i], static_cast<unsigned long>(i)), DcmTag(tag).getTagName());
  return values;
}

DcmItem& item_of(DcmItem& item, const DcmTagKey& sequence, long index = 0) {
  DcmItem* at = nullptr;
  check(item.findAndGetSequenceItem(sequence, at, index), DcmTag(sequence).getTagName());
  return *at;
}

Uint16 us(DcmItem& item, const DcmTagKey& tag) {
  Uint16 value = 0;
  check(item.findAndGetUint16(tag, value), DcmTag(tag).getTagName());
  return value;
}

}  // namespace

std::map<int, Found> read_segmentation(const std::filesystem::path& file) {
  start_toolkit();
  DcmFileFormat format;
  check(format.loadFile(file.c_str()), "reading it");
  DcmDataset& data = *format.getDataset();
  if (text_of(data, DCM_SegmentationType) != "BINARY" || us(data, DCM_BitsAllocated) != 1) throw Error(ErrorKind::format, "no BINARY segmentation");
  const std::size_t rows = us(data, DCM_Rows), columns = us(data, DCM_Columns);
  DcmItem& shared = item_of(data, DCM_SharedFunctionalGroupsSequence);
  const auto axes = numbers(item_of(shared, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient, 6);
  DcmItem& measures = item_of(shared, DCM_PixelMeasuresSequence);
  const auto spacing = numbers(measures, DCM_PixelSpacing, 2);
  const double voxel = spacing[0] * spacing[1] * numbers(measures, DCM_SpacingBetweenSlices, 1)[0];
  const Uint8* bits = nullptr;
  unsigned long size = 0;
  check(data.findAndGetUint8Array(DCM_PixelData, bits, &size), "PixelData");
  DcmSequenceOfItems* frames = nullptr;
  check(data.findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, frames), "PerFrameFunctionalGroupsSequence");
  if (frames->card() * rows * columns > size * 8ull) throw Error(ErrorKind::format, "fewer pixels than frames");

  struct Sums {
    double count = 0;
    std::array<double, 3> at{};
  };
  std::map<int, Sums> sums;
  DcmObject* next = nullptr;
  for (std::size_t f = 0; (next = frames->nextInContainer(next)); ++f) {
    DcmItem& frame = *static_cast<DcmItem*>(next);
    const auto origin = numbers(item_of(frame, DCM_PlanePositionSequence), DCM_ImagePositionPatient, 3);
    Sums& to = sums[us(item_of(frame, DCM_SegmentIdentificationSequence), DCM_ReferencedSegmentNumber)];
    double count = 0, across = 0, down = 0;
    for (std::size_t i = 0, bit = f * rows * columns; i < rows * columns; ++i, ++bit) {
      if (bit % 8 == 0 && bits[bit / 8] == 0 && i + 8 <= rows * columns) {
        i += 7, bit += 7;
        continue;
      }
      if (!(bits[bit / 8] >> (bit % 8) & 1)) continue;
      ++count, across += static_cast<double>(i % columns), down += static_cast<double>(i / columns);
    }
    to.count += count;
    for (std::size_t i = 0; i < 3; ++i) to.at[i] += count * origin[i] + across * spacing[1] * axes[i] + down * spacing[0] * axes[3 + i];
  }
  std::map<int, Found> found;
  for (const auto& [number, s] : sums) {
    Found& to = found[number];
    to.ml = s.count * voxel / 1000;
    if (s.count > 0) to.centroid = {-s.at[0] / s.count, -s.at[1] / s.count, s.at[2] / s.count};
  }
  return found;
}

void prove_segmentation(const std::filesystem::path& file, const Result& result) {
  const auto found = read_segmentation(file);
  for (std::size_t s = 0; s < result.segments.size(); ++s) {
    const auto at = found.find(static_cast<int>(s + 1));
    compare(result, result.segments[s], at == found.end() ? Found{} : at->second);
  }
  if (found.size() > result.segments.size()) throw Error(ErrorKind::geometry, "more segments when read back than there are; nothing was written");
}

}  // namespace vesal::dicom
