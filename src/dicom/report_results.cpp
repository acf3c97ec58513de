// The report as a PDF file, and as a DICOM object with that file in it (Encapsulated PDF, PS3.3, A.45.1).
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cstring>
#include <set>

#include "base/file.h"
#include "dicom/object.h"
#include "dicom/report_pdf.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

void write_pdf(const std::filesystem::path& path, const Result& result) { write_file(path, report_pdf(result)); }

void write_object(const std::filesystem::path& path, const Result& result) {
  DcmDataset data;
  begin_object(data, result, {"pdf", UID_EncapsulatedPDFStorage, "DOC", "Report: " + result.bundle, "9805", false});
  const std::string pdf = report_pdf(result);
  std::string padded = pdf;
  if (padded.size() % 2) padded.push_back('\0');
  put(data, DCM_ConversionType, "WSD");
  put(data, DCM_AcquisitionDateTime, "");
  put(data, DCM_BurnedInAnnotation, "YES");  // the patient's name stands in it
  put(data, DCM_DocumentTitle, text_for(data, "Segmentation report: " + result.bundle, 1024));
  put(data, DCM_VerificationFlag, "UNVERIFIED");
  put_code(data, DCM_ConceptNameCodeSequence, {"126000", "DCM", "Imaging Measurement Report"});
  put(data, DCM_MIMETypeOfEncapsulatedDocument, "application/pdf");
  std::set<std::string> seen;
  for (const image::DicomSlice& slice : result.dicom_source().slices()) {
    if (!seen.insert(slice.sop_instance).second) continue;  // frames of one file
    DcmItem& source = add_item(data, DCM_SourceInstanceSequence);
    put(source, DCM_ReferencedSOPClassUID, slice.sop_class);
    put(source, DCM_ReferencedSOPInstanceUID, slice.sop_instance);
  }
  check(data.putAndInsertUint32(DCM_EncapsulatedDocumentLength, static_cast<Uint32>(pdf.size())), "report");
  check(
      data.putAndInsertUint8Array(DCM_EncapsulatedDocument, reinterpret_cast<const Uint8*>(padded.data()), static_cast<unsigned long>(padded.size())),
      "report", ErrorKind::memory);
  save_object(path, data, false, [&](const std::filesystem::path& file) {
    DcmFileFormat back;
    check(back.loadFile(file.c_str()), "reading it back");
    const Uint8* found = nullptr;
    unsigned long size = 0;
    check(back.getDataset()->findAndGetUint8Array(DCM_EncapsulatedDocument, found, &size), "reading it back");
    if (size != padded.size() || std::memcmp(found, padded.data(), size) != 0) throw Error(ErrorKind::io, "the report differs when read back");
  });
}

const RegisterResult report({"report", {".pdf"}, "report as a PDF file", false, {}, write_pdf});
const RegisterResult pdf({"pdf", {".pdf.dcm"}, "report as a DICOM object (Encapsulated PDF)", true, {}, write_object});

}  // namespace
}  // namespace vesal::dicom
