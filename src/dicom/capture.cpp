// Secondary capture (PS3.3, A.8.1) of the preview: three planes with the classes over them.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cstring>

#include "dicom/object.h"
#include "dicom/overlay.h"
#include "dicom/toolkit.h"
#include "image/preview.h"

namespace vesal::dicom {

Array overlay_of(const Result& result, bool bare) {
  image::PreviewOptions options;
  options.bare = bare;
  options.caption = result.bundle;
  if (!result.warning.empty()) options.warning = image::kNotForDiagnosis;
  const bool several = result.mask.shape()[0] > 1;
  Shape shape = result.mask.shape();
  shape[0] = 1;
  Array labels = result.mask.array();
  if (several) {  // the last one that is set lies on top
    labels = Array::zeros(shape, DType::u16);
    for (const Segment& s : result.segments) {
      const Array channel = result.voxels_of(s).to(DType::u8).contiguous();
      for (std::int64_t i = 0; i < channel.numel(); ++i)
        if (channel.data<std::uint8_t>()[i]) labels.data<std::uint16_t>()[i] = static_cast<std::uint16_t>(s.label + 1);
    }
  }
  for (const Segment& s : result.classes) options.names[several ? s.label + 1 : s.label] = s.name;
  return image::render_preview(result.scan(), result.mask.with(labels), options).contiguous();
}

namespace {

void write(const std::filesystem::path& path, const Result& result) {
  DcmDataset data;
  begin_object(data, result, {"sc", UID_SecondaryCaptureImageStorage, "OT", "Overlay: " + result.bundle, "9803", false});
  const Array picture = overlay_of(result);
  put(data, DCM_ConversionType, "WSD");
  put(data, DCM_ImageType, "DERIVED\\SECONDARY");
  put(data, DCM_PatientOrientation, "");
  put(data, DCM_Laterality, "");
  put(data, DCM_BurnedInAnnotation, "NO");  // names of classes and volumes, nothing of the patient
  put(data, DCM_DerivationDescription, text_for(data, result.warning.empty() ? result.task : result.warning, 1024));
  put_lossy(data, result.dicom_source());
  put(data, DCM_PhotometricInterpretation, "RGB");
  const auto us = [&](const DcmTagKey& tag, std::int64_t value) { check(data.putAndInsertUint16(tag, static_cast<Uint16>(value)), "pixels"); };
  us(DCM_SamplesPerPixel, 3);
  us(DCM_PlanarConfiguration, 0);
  us(DCM_Rows, picture.size(0));
  us(DCM_Columns, picture.size(1));
  us(DCM_BitsAllocated, 8);
  us(DCM_BitsStored, 8);
  us(DCM_HighBit, 7);
  us(DCM_PixelRepresentation, 0);
  std::vector<Uint8> pixels(picture.data<std::uint8_t>(), picture.data<std::uint8_t>() + picture.numel());
  if (pixels.size() % 2) pixels.push_back(0);
  check(data.putAndInsertUint8Array(DCM_PixelData, pixels.data(), static_cast<unsigned long>(pixels.size())), "pixels", ErrorKind::memory);
  save_object(path, data, false, [&](const std::filesystem::path& file) {
    DcmFileFormat back;
    check(back.loadFile(file.c_str()), "reading it back");
    const Uint8* found = nullptr;
    unsigned long size = 0;
    check(back.getDataset()->findAndGetUint8Array(DCM_PixelData, found, &size), "reading it back");
    if (size != pixels.size() || std::memcmp(found, pixels.data(), size) != 0) throw Error(ErrorKind::io, "the picture differs when read back");
  });
}

const RegisterResult sc({"sc", {".sc.dcm"}, "DICOM secondary capture of the classes over the scan", true, {}, write});

}  // namespace
}  // namespace vesal::dicom
