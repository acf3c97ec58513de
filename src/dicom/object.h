// What all DICOM objects made from a scan share: patient and study of the source, who made it, how it is written and read back.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "results/result.h"

class DcmDataset;
class DcmItem;
class DcmTagKey;

namespace vesal::dicom {

using namespace results;  // objects are what results are written as

struct ObjectHead {
  std::string kind;       ///< of uid()
  std::string sop_class;  ///< its UID
  std::string modality;
  std::string description;    ///< of the series
  std::string series_number;  ///< far from those of scanners
  bool frame_of_reference = true;
};

/// The source's study, series and frame of reference. Where a de-identified file has none, one is derived from its instances: an object without them
/// would be invalid, and no archive could have filed the scan under another.
struct SourceUids {
  std::string study, series, frame_of_reference;
};
SourceUids uids_of(const image::DicomSource& source);

/// Patient, study, series, equipment, frame of reference and SOP common modules. Text of the source is copied byte by byte with its character
/// set; text of ours goes through text_for().
void begin_object(DcmDataset& data, const Result& result, const ObjectHead& facts);

/// Our text cut to `most` characters of one value, in the object's character set: as it is where the source's own texts are plain ASCII (the
/// object is then UTF-8), otherwise '?' for what is no ASCII.
std::string text_for(const DcmItem& data, std::string text, std::size_t most = 64);

void put(DcmItem& item, const DcmTagKey& tag, const std::string& value);
/// A code as the only item of a sequence.
void put_code(DcmItem& item, const DcmTagKey& sequence, const Code& code);
/// A new item at the end of a sequence.
DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence);
/// A number as DS: at most 16 characters.
std::string ds(double value);
/// DICOM's D65 CIELab, three unsigned shorts (PS3.3, C.10.7.1.1).
std::array<std::uint16_t, 3> cielab(image::Colour colour);
/// What made the segments: (0066,002F)'s items and their like.
void put_algorithm(DcmItem& item, const DcmTagKey& sequence, const Result& result, const DcmItem& data);
/// ReferencedSeriesSequence with all instances (Common Instance Reference), without repeating one.
void put_instances(DcmItem& item, const Result& result);
/// SOP class, instance and, of a multi-frame instance, the frame of plane z.
void put_reference(DcmItem& item, const image::DicomSlice& slice);

/// Whether the pixels it was made from were ever compressed with loss, and how much, as the source says.
void put_lossy(DcmItem& data, const image::DicomSource& source);

/// Saves to a temporary name, calls `prove` with that file, then renames.
void save_object(const std::filesystem::path& path, DcmDataset& data, bool implicit, const std::function<void(const std::filesystem::path&)>& prove);

}  // namespace vesal::dicom
