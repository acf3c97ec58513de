#include "dicom/object.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <set>

#include "base/file.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

/// Elements of patient and study (PS3.3, C.7.1 and C.7.2) that go over to the object, all of them text.
const DcmTagKey kCopied[] = {DCM_PatientName,
                             DCM_PatientID,
                             DCM_IssuerOfPatientID,
                             DCM_PatientBirthDate,
                             DCM_PatientBirthTime,
                             DCM_PatientSex,
                             DCM_PatientAge,
                             DCM_PatientSize,
                             DCM_PatientWeight,
                             DCM_EthnicGroup,
                             DCM_PatientComments,
                             DCM_PatientIdentityRemoved,
                             DCM_DeidentificationMethod,
                             DCM_StudyInstanceUID,
                             DCM_StudyDate,
                             DCM_StudyTime,
                             DCM_ReferringPhysicianName,
                             DCM_StudyID,
                             DCM_AccessionNumber,
                             DCM_StudyDescription,
                             DCM_InstitutionName,
                             DCM_BodyPartExamined};
/// Type 2 and type 1 ones, which have to be there.
const DcmTagKey kMustBe[] = {DCM_PatientName,    DCM_PatientID, DCM_PatientBirthDate,       DCM_PatientSex,
                             DCM_StudyDate,      DCM_StudyTime, DCM_ReferringPhysicianName, DCM_StudyID,
                             DCM_AccessionNumber};

std::string raw_text(const image::DicomDataset& from, const DcmTagKey& tag) {
  const auto* element = from.find(static_cast<image::DicomTag>(tag.getGroup()) << 16 | tag.getElement());
  if (!element) return "";
  std::string text(reinterpret_cast<const char*>(element->value.data()), std::min<std::size_t>(element->value.size(), 10240));
  while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.pop_back();
  return text;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

double to_linear(std::uint8_t v) {
  const double c = v / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

void put_equipment(DcmDataset& data, const Result& result) {
  put(data, DCM_Manufacturer, "vesal");
  put(data, DCM_ManufacturerModelName, text_for(data, result.bundle));
  put(data, DCM_DeviceSerialNumber, text_for(data, result.version.empty() ? "0" : result.version));
  put(data, DCM_SoftwareVersions, text_for(data, result.software));
  DcmItem& item = add_item(data, DCM_ContributingEquipmentSequence);
  put_code(item, DCM_PurposeOfReferenceCodeSequence, {"109102", "DCM", "Processing Equipment"});
  put(item, DCM_Manufacturer, "vesal");
  put(item, DCM_ManufacturerModelName, text_for(data, result.bundle));
  put(item, DCM_SoftwareVersions, text_for(data, result.software + ", bundle " + result.version));
  put(item, DCM_ContributionDescription, text_for(data, "Segmentation by " + result.bundle + " " + result.version, 1024));
}

}  // namespace

SourceUids uids_of(const image::DicomSource& source) {
  const image::DicomSeries& s = source.series();
  const std::string first = source.slices()[0].sop_instance;
  const auto or_derived = [&](const std::string& uid, const char* what) {
    return uid.empty() ? uid_of(fmt::format("vesal {} of {}", what, first)) : uid;
  };
  return {or_derived(s.study_uid, "study"), or_derived(s.series_uid, "series"), or_derived(s.frame_of_reference, "frame of reference")};
}

void put(DcmItem& item, const DcmTagKey& tag, const std::string& value) {
  check(item.putAndInsertOFStringArray(tag, OFString(value.c_str(), value.size())), DcmTag(tag).getTagName(), ErrorKind::internal);
}

DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence) {
  DcmItem* at = nullptr;
  check(item.findOrCreateSequenceItem(sequence, at, -2), DcmTag(sequence).getTagName(), ErrorKind::internal);
  return *at;
}

std::string ds(double value) {
  if (!std::isfinite(value)) throw Error(ErrorKind::geometry, "a number of the geometry is not finite");
  for (int digits = 10; digits > 0; --digits) {
    const std::string text = fmt::format("{:.{}g}", std::fabs(value) < 1e-12 ? 0.0 : value, digits);
    if (text.size() <= 16) return text;
  }
  throw Error(ErrorKind::internal, "a number that DS cannot hold");
}

std::string text_for(const DcmItem& data, std::string text, std::size_t most) {
  const bool utf8 = text_of(data, DCM_SpecificCharacterSet) == "ISO_IR 192";
  std::string out;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size() && characters < most; ++characters) {
    std::size_t length = 1;
    while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xc0) == 0x80) ++length;
    const std::string character = text.substr(i, length);
    i += length;
    if (length == 1 && (character == "\\" || !is_ascii(character))) out += character == "\n" ? " " : "?";
    else if (length == 1 || (utf8 && static_cast<unsigned char>(character[0]) >= 0xc2)) out += character;
    else out += "?";
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

void begin_object(DcmDataset& data, const Result& result, const ObjectHead& facts) {
  start_toolkit();
  const image::DicomSource& source = result.dicom_source();
  const image::DicomObject object(source.slices()[0].file);
  const image::DicomDataset& from = object.data();
  bool ascii = true;
  for (const DcmTagKey& tag : kCopied) ascii = ascii && is_ascii(raw_text(from, tag));
  put(data, DCM_SpecificCharacterSet, ascii ? "ISO_IR 192" : raw_text(from, DCM_SpecificCharacterSet));
  for (const DcmTagKey& tag : kMustBe) put(data, tag, "");
  for (const DcmTagKey& tag : kCopied)
    if (const std::string text = raw_text(from, tag); !text.empty()) put(data, tag, text);
  const SourceUids uids = uids_of(source);
  put(data, DCM_StudyInstanceUID, uids.study);

  put(data, DCM_Modality, facts.modality);
  put(data, DCM_SeriesInstanceUID, result.uid(facts.kind, "series"));
  put(data, DCM_SeriesNumber, facts.series_number);
  put(data, DCM_SeriesDescription, text_for(data, (result.warning.empty() ? "" : "RESEARCH ") + facts.description));
  put_equipment(data, result);
  if (facts.frame_of_reference) {
    put(data, DCM_FrameOfReferenceUID, uids.frame_of_reference);
    put(data, DCM_PositionReferenceIndicator, raw_text(from, DCM_PositionReferenceIndicator));
  }

  put(data, DCM_SOPClassUID, facts.sop_class);
  put(data, DCM_SOPInstanceUID, result.uid(facts.kind));
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char date[16], time[16];
  std::strftime(date, sizeof date, "%Y%m%d", &local);
  std::strftime(time, sizeof time, "%H%M%S", &local);
  for (const DcmTagKey& tag : {DCM_InstanceCreationDate, DCM_ContentDate, DCM_SeriesDate}) put(data, tag, date);
  for (const DcmTagKey& tag : {DCM_InstanceCreationTime, DCM_ContentTime, DCM_SeriesTime}) put(data, tag, time);
  put(data, DCM_InstanceNumber, "1");
}

std::array<std::uint16_t, 3> cielab(image::Colour colour) {
  const double r = to_linear(colour.r), g = to_linear(colour.g), b = to_linear(colour.b);
  const auto f = [](double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; };
  const double x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047), y = f(0.2126729 * r + 0.7151522 * g + 0.0721750 * b),
               z = f((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  const auto scaled = [](double v, double low, double range) {
    return static_cast<std::uint16_t>(std::lround(std::clamp((v - low) / range, 0.0, 1.0) * 65535));
  };
  return {scaled(116 * y - 16, 0, 100), scaled(500 * (x - y), -128, 255), scaled(200 * (y - z), -128, 255)};
}

void put_algorithm(DcmItem& item, const DcmTagKey& sequence, const Result& result, const DcmItem& data) {
  DcmItem& algorithm = add_item(item, sequence);
  put_code(algorithm, DCM_AlgorithmFamilyCodeSequence, {"123110", "DCM", "Artificial Intelligence"});
  put(algorithm, DCM_AlgorithmName, text_for(data, result.bundle));
  put(algorithm, DCM_AlgorithmVersion, text_for(data, result.version.empty() ? "0" : result.version));
  put(algorithm, DCM_AlgorithmSource, text_for(data, result.software));
}

void put_reference(DcmItem& item, const image::DicomSlice& slice) {
  put(item, DCM_ReferencedSOPClassUID, slice.sop_class);
  put(item, DCM_ReferencedSOPInstanceUID, slice.sop_instance);
  if (slice.format.frames > 1) put(item, DCM_ReferencedFrameNumber, std::to_string(slice.frame + 1));
}

void put_instances(DcmItem& item, const Result& result) {
  DcmItem& series = add_item(item, DCM_ReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, uids_of(result.dicom_source()).series);
  std::set<std::string> seen;
  for (const image::DicomSlice& slice : result.dicom_source().slices()) {
    if (!seen.insert(slice.sop_instance).second) continue;
    DcmItem& instance = add_item(series, DCM_ReferencedInstanceSequence);
    put(instance, DCM_ReferencedSOPClassUID, slice.sop_class);
    put(instance, DCM_ReferencedSOPInstanceUID, slice.sop_instance);
  }
}

void put_lossy(DcmItem& data, const image::DicomSource& source) {
  const bool lossy = std::any_of(source.slices().begin(), source.slices().end(), [](const image::DicomSlice& s) { return s.lossy; });
  put(data, DCM_LossyImageCompression, lossy ? "01" : "00");
  if (!lossy) return;
  const image::DicomObject object(source.slices()[0].file);
  for (const DcmTagKey& tag : {DCM_LossyImageCompressionRatio, DCM_LossyImageCompressionMethod})
    if (const std::string text = raw_text(object.data(), tag); !text.empty()) put(data, tag, text);
}

void save_object(const std::filesystem::path& path, DcmDataset& data, bool implicit, const std::function<void(const std::filesystem::path&)>& prove) {
  AtomicFile file(path);
  DcmFileFormat format(&data, OFFalse);
  const OFCondition saved = format.saveFile(file.temporary().c_str(), implicit ? EXS_LittleEndianImplicit : EXS_LittleEndianExplicit);
  format.getAndRemoveDataset();  // the caller's
  check(saved, "saving", ErrorKind::io);
  prove(file.temporary());
  file.commit();
}

void put_code(DcmItem& item, const DcmTagKey& sequence, const Code& code) {
  DcmItem* at = nullptr;
  check(item.findOrCreateSequenceItem(sequence, at, -2), "code");
  check(at->putAndInsertString(DCM_CodeValue, code.value.c_str()), "code");
  check(at->putAndInsertString(DCM_CodingSchemeDesignator, code.scheme.c_str()), "code");
  check(at->putAndInsertString(DCM_CodeMeaning, code.meaning.c_str()), "code");
}

}  // namespace vesal::dicom
