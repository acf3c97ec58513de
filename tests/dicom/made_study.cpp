#include "dicom/made_study.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <chrono>
#include <thread>

#include "base/cancel.h"
#include "dicom/toolkit.h"
#include "image/dicom_study.h"

namespace vesal::tests {
namespace fs = std::filesystem;
using namespace dicom;
namespace {

void put(DcmDataset& d, const DcmTagKey& tag, const std::string& value) { check(d.putAndInsertString(tag, value.c_str()), "test data"); }

void put_picture(DcmDataset& d, int size, int bits) {
  d.putAndInsertUint16(DCM_SamplesPerPixel, 1);
  put(d, DCM_PhotometricInterpretation, "MONOCHROME2");
  d.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(size));
  d.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(size));
  d.putAndInsertUint16(DCM_BitsAllocated, static_cast<Uint16>(bits));
  d.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(bits));
  d.putAndInsertUint16(DCM_HighBit, static_cast<Uint16>(bits - 1));
  d.putAndInsertUint16(DCM_PixelRepresentation, 0);
}

void save(DcmFileFormat& file, const fs::path& path) { check(file.saveFile(path.c_str(), EXS_LittleEndianExplicit), "saving " + path.string()); }

}  // namespace

MadeStudy make_study(const fs::path& folder, const std::string& name, int slices, int size) {
  start_toolkit();
  fs::create_directories(folder);
  MadeStudy out{uid_of(name + " study"), uid_of(name + " series"), {}, {}};
  for (int i = 0; i < slices; ++i) {
    DcmFileFormat file;
    DcmDataset& d = *file.getDataset();
    out.sops.push_back(uid_of(name + " " + std::to_string(i)));
    put(d, DCM_SOPClassUID, UID_CTImageStorage);
    put(d, DCM_SOPInstanceUID, out.sops.back());
    put(d, DCM_StudyInstanceUID, out.study);
    put(d, DCM_SeriesInstanceUID, out.series);
    put(d, DCM_FrameOfReferenceUID, uid_of(name + " frame"));
    put(d, DCM_Modality, "CT");
    put(d, DCM_PatientName, "Test^" + name);
    put(d, DCM_PatientID, name);
    put(d, DCM_AccessionNumber, name);
    put(d, DCM_StudyDate, "20261124");
    put(d, DCM_StudyID, "1");
    put(d, DCM_SeriesNumber, "2");
    put(d, DCM_InstanceNumber, std::to_string(i + 1));
    put(d, DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    put(d, DCM_ImagePositionPatient, "0\\0\\" + std::to_string(2 * i));
    put(d, DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    put(d, DCM_PixelSpacing, "1\\1");
    put(d, DCM_RescaleSlope, "1");
    put(d, DCM_RescaleIntercept, "-1024");
    put_picture(d, size, 16);
    const std::vector<Uint16> pixels(static_cast<std::size_t>(size * size), static_cast<Uint16>(1000 + i));
    d.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size());
    out.files.push_back(folder / (std::to_string(i) + ".dcm"));
    save(file, out.files.back());
  }
  return out;
}

MadeStudy identified_study(const fs::path& from, const fs::path& folder, const std::string& name) {
  start_toolkit();
  fs::create_directories(folder);
  MadeStudy out{uid_of(name + " study"), uid_of(name + " series"), {}, {}};
  for (const auto& entry : fs::directory_iterator(from)) {
    DcmFileFormat file;
    check(file.loadFile(entry.path().c_str()), "reading " + entry.path().string());
    DcmDataset& d = *file.getDataset();
    out.sops.push_back(uid_of(name + entry.path().filename().string()));
    put(d, DCM_SOPClassUID, UID_CTImageStorage);
    put(d, DCM_SOPInstanceUID, out.sops.back());
    put(d, DCM_StudyInstanceUID, out.study);
    put(d, DCM_SeriesInstanceUID, out.series);
    put(d, DCM_FrameOfReferenceUID, uid_of(name + " frame"));
    put(d, DCM_Modality, "CT");
    put(d, DCM_PatientID, name);
    put(d, DCM_PatientName, "Test^" + name);
    out.files.push_back(folder / (std::to_string(out.files.size()) + ".dcm"));
    check(file.saveFile(out.files.back().c_str(), d.getOriginalXfer()), "saving " + out.files.back().string());
  }
  return out;
}

std::optional<ChosenSeries> QuickWorker::choose(const fs::path& study, const Rule&, const std::string& series) {
  for (const image::DicomSeries& s : image::read_dicom_study(study).series) {
    if (s.modality != "CT" || (!series.empty() && s.series_uid != series)) continue;
    ChosenSeries out{s.series_uid, {}, "the first CT"};
    for (const image::DicomSlice& slice : s.slices) out.instances.push_back(slice.sop_instance);
    return out;
  }
  return std::nullopt;
}

std::vector<fs::path> QuickWorker::work(const WorkOrder& order) {
  for (double left = seconds; left > 0; left -= 0.02) {
    check_cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const image::DicomSeries series = image::read_dicom_study(order.study).series.at(0);
  DcmFileFormat file;
  DcmDataset& d = *file.getDataset();
  const std::string seed = order.series + order.rule.name + order.digest;
  put(d, DCM_SOPClassUID, UID_SecondaryCaptureImageStorage);
  put(d, DCM_SOPInstanceUID, uid_of(seed));
  put(d, DCM_SeriesInstanceUID, uid_of(seed + " series"));
  put(d, DCM_StudyInstanceUID, series.study_uid);
  put(d, DCM_PatientID, series.patient_id);
  put(d, DCM_AccessionNumber, series.accession);
  put(d, DCM_Modality, "OT");
  put(d, DCM_ConversionType, "WSD");
  put_picture(d, 8, 8);
  const std::vector<Uint8> pixels(64, static_cast<Uint8>(series.slices.size()));
  d.putAndInsertUint8Array(DCM_PixelData, pixels.data(), pixels.size());
  save(file, order.output / "sc.dcm");
  return {order.output / "sc.dcm"};
}

}  // namespace vesal::tests
