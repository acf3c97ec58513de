// Structured report with volumes: TID 1500 Measurement Report, a measurement group (TID 1411) for each segment of the segmentation.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmsr/cmr/tid1500.h>
#include <dcmtk/dcmsr/dsrdoc.h>
#include <fmt/format.h>

#include <cmath>

#include "dicom/segmentation.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

constexpr const char* kWhat = "measurement report";

OFString of(const std::string& text) { return OFString(text.c_str(), text.size()); }
DSRCodedEntryValue coded(const Code& c) { return DSRCodedEntryValue(of(c.value), of(c.scheme), of(c.meaning)); }

CMR_CID100 procedure_of(const std::string& modality) {
  if (modality == "CT") return CMR_CID100::CTUnspecifiedBodyRegion;
  if (modality == "MR") return CMR_CID100::MRIUnspecifiedBodyRegion;
  return CMR_CID100::ImagingProcedure;
}

std::string milliliters(double ml) { return fmt::format("{:.3f}", ml); }

void add_group(TID1500_MeasurementReport& report, const Result& result, const Segment& segment, std::size_t number, const DcmItem& data) {
  check(report.addVolumetricROIMeasurements(), kWhat);
  auto& group = report.getVolumetricROIMeasurements();
  check(group.setTrackingIdentifier(of(text_for(data, segment.name))), kWhat);
  check(group.setTrackingUniqueIdentifier(of(tracking_uid(result, segment))), kWhat);
  check(group.setFinding(coded(segment.anatomy.type)), kWhat);
  DSRImageReferenceValue reference(UID_SegmentationStorage, of(result.uid("seg")));
  reference.getSegmentList().addItem(static_cast<Uint16>(number));
  check(group.setReferencedSegment(reference), kWhat);
  check(group.setSourceSeriesForSegmentation(of(uids_of(result.dicom_source()).series)), kWhat);
  const Code& side = segment.anatomy.side();
  const CID244e_Laterality laterality = side.value == "7771000"    ? CID244e_Laterality(CID244e_Laterality::Left)
                                        : side.value == "24028007" ? CID244e_Laterality(CID244e_Laterality::Right)
                                                                   : CID244e_Laterality();
  check(group.addFindingSite(coded(segment.anatomy.site()), laterality), kWhat);
  const CMR_SRNumericMeasurementValueWithUnits<CMR_CID7181> value(of(milliliters(segment.ml)), DSRCodedEntryValue("ml", "UCUM", "milliliter"));
  check(group.addMeasurement(DSRCodedEntryValue("118565006", "SCT", "Volume"), value), kWhat);
}

/// The volume of each measurement group as the file has it, by the number of the segment that it refers to.
std::map<int, double> volumes_in(DcmItem& item) {
  std::map<int, double> found;
  int segment = 0;
  double ml = -1;
  DcmSequenceOfItems* content = nullptr;
  if (item.findAndGetSequence(DCM_ContentSequence, content).bad()) return found;
  for (unsigned long i = 0; i < content->card(); ++i) {
    DcmItem& child = *content->getItem(i);
    DcmItem *measured = nullptr, *referenced = nullptr;
    if (child.findAndGetSequenceItem(DCM_MeasuredValueSequence, measured).good()) measured->findAndGetFloat64(DCM_NumericValue, ml);
    if (child.findAndGetSequenceItem(DCM_ReferencedSOPSequence, referenced).good()) {
      Uint16 number = 0;
      if (referenced->findAndGetUint16(DCM_ReferencedSegmentNumber, number).good()) segment = number;
    }
    found.merge(volumes_in(child));
  }
  if (segment > 0 && ml >= 0) found[segment] = ml;
  return found;
}

void prove(const std::filesystem::path& file, const Result& result) {
  DcmFileFormat back;
  check(back.loadFile(file.c_str()), "reading it back");
  const auto found = volumes_in(*back.getDataset());
  for (std::size_t s = 0; s < result.segments.size(); ++s) {
    const auto at = found.find(static_cast<int>(s + 1));
    if (at == found.end() || std::fabs(at->second - result.segments[s].ml) > 0.001)
      throw Error(ErrorKind::geometry, result.segments[s].name + ": its volume differs when read back; nothing was written");
  }
}

void write(const std::filesystem::path& path, const Result& result) {
  start_toolkit();
  const image::DicomSource& source = result.dicom_source();
  DcmDataset head;
  begin_object(head, result, {"sr", UID_ComprehensiveSRStorage, "SR", "Volumes: " + result.bundle, "9804", false});

  TID1500_MeasurementReport report(CMR_CID7021::ImagingMeasurementReport);
  check(report.setLanguage(CID5000_Languages::English), kWhat);
  check(report.getObservationContext().addDeviceObserver(of(uid_of("vesal device " + result.identity)), "vesal", "vesal",
                                                         of(text_for(head, result.bundle)), of(text_for(head, result.version))),
        kWhat);
  check(report.addProcedureReported(procedure_of(source.series().modality)), kWhat);
  for (std::size_t s = 0; s < result.segments.size(); ++s) add_group(report, result, result.segments[s], s + 1, head);

  const SourceUids uids = uids_of(source);
  DSRDocument document;
  check(document.setTreeFromRootTemplate(report, OFTrue), kWhat);
  document.setSpecificCharacterSet(of(text_of(head, DCM_SpecificCharacterSet)));
  document.setSeriesDescription(of(text_of(head, DCM_SeriesDescription)));
  document.getCodingSchemeIdentification().addItem("99VESAL");
  document.getCodingSchemeIdentification().setCodingSchemeName("vesal's own codes for names without another");
  const Result& r = result;
  auto& evidence = document.getCurrentRequestedProcedureEvidence();
  check(evidence.addItem(of(uids.study), of(r.uid("seg", "series")), UID_SegmentationStorage, of(r.uid("seg"))), kWhat);
  for (const image::DicomSlice& slice : source.slices())
    evidence.addItem(of(uids.study), of(uids.series), of(slice.sop_class), of(slice.sop_instance));  // once each
  DcmDataset data;
  check(document.write(data), kWhat);
  // The head is ours: the document would make new identifiers.
  for (unsigned long i = 0; i < head.card(); ++i) check(data.insert(OFstatic_cast(DcmElement*, head.getElement(i)->clone()), OFTrue), kWhat);
  save_object(path, data, false, [&](const std::filesystem::path& file) { prove(file, result); });
}

const RegisterResult sr({"sr", {".sr.dcm"}, "DICOM structured report (TID 1500) with volumes, about the segmentation", true, {"seg"}, write});

}  // namespace
}  // namespace vesal::dicom
