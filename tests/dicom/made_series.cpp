#include "dicom/made_series.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <cmath>

#include "dicom/toolkit.h"

namespace vesal::dicom::testing {
namespace {

constexpr std::array<std::int64_t, 3> kSize{30, 26, 18};
constexpr std::array<double, 3> kSpacing{1.5, 0.8, 2.5};

/// Directions turned by a few degrees about two axes, then by the orientation.
image::Affine affine_of(const std::string& codes) {
  const image::Orientation o = image::parse_axcodes(codes);
  const double a = 0.07, b = -0.05;
  const double turn[3][3] = {{std::cos(a), -std::sin(a), 0},
                             {std::sin(a) * std::cos(b), std::cos(a) * std::cos(b), -std::sin(b)},
                             {std::sin(a) * std::sin(b), std::cos(a) * std::sin(b), std::cos(b)}};
  image::Affine affine;
  for (int i = 0; i < 3; ++i) {
    const auto k = static_cast<std::size_t>(i);
    for (int r = 0; r < 3; ++r) affine(r, i) = turn[r][o.axis[k]] * o.sign[k] * kSpacing[k];
  }
  // The middle of the block lies at one place for all.
  const double centre[3] = {12.5, -31.25, 410};
  for (int r = 0; r < 3; ++r) {
    affine(r, 3) = centre[r];
    for (int i = 0; i < 3; ++i) affine(r, 3) -= affine(r, i) * static_cast<double>(kSize[static_cast<std::size_t>(i)] - 1) / 2;
  }
  return affine;
}

}  // namespace

void write_series(const std::filesystem::path& folder, const MadeSeries& how) {
  start_toolkit();
  std::filesystem::create_directories(folder);
  const image::Affine affine = affine_of(how.orientation);
  const std::string series = uid_of("series " + folder.string());
  for (std::int64_t z = 0; z < kSize[2]; ++z) {
    const std::int64_t number = how.last_first ? kSize[2] - z : z + 1;
    DcmFileFormat file;
    DcmDataset& data = *file.getDataset();
    const auto text = [&](const DcmTagKey& tag, const std::string& value) { check(data.putAndInsertOFStringArray(tag, value.c_str()), value); };
    const auto us = [&](const DcmTagKey& tag, std::int64_t value) { check(data.putAndInsertUint16(tag, static_cast<Uint16>(value)), "us"); };
    text(DCM_SOPClassUID, UID_CTImageStorage);
    text(DCM_SOPInstanceUID, uid_of(series + std::to_string(z)));
    if (!how.character_set.empty()) text(DCM_SpecificCharacterSet, how.character_set);
    text(DCM_PatientName, how.patient);
    text(DCM_PatientID, "P1");
    text(DCM_PatientBirthDate, "19500102");
    text(DCM_PatientSex, "F");
    text(DCM_StudyInstanceUID, uid_of("study"));
    text(DCM_StudyDate, "20240102");
    text(DCM_StudyTime, "101112");
    text(DCM_StudyID, "S1");
    text(DCM_AccessionNumber, "A17");
    text(DCM_ReferringPhysicianName, "Who");
    text(DCM_SeriesInstanceUID, series);
    text(DCM_FrameOfReferenceUID, uid_of("frame"));
    text(DCM_Modality, "CT");
    text(DCM_SeriesNumber, "2");
    text(DCM_InstanceNumber, std::to_string(number));
    text(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    // RAS to LPS: x and y change their sign.
    const auto lps = [](double v, int r) { return r < 2 ? -v : v; };
    std::string position, orientation;
    for (int r = 0; r < 3; ++r) {
      const double beside = how.tilt_mm * affine(r, 1) / kSpacing[1];
      position += fmt::format("{}{:.6f}", r ? "\\" : "", lps(affine(r, 3) + (affine(r, 2) + beside) * static_cast<double>(z), r));
    }
    for (int i = 0; i < 2; ++i)
      for (int r = 0; r < 3; ++r)
        orientation += fmt::format("{}{:.9f}", orientation.empty() ? "" : "\\", lps(affine(r, i), r) / kSpacing[static_cast<std::size_t>(i)]);
    text(DCM_ImagePositionPatient, position);
    text(DCM_ImageOrientationPatient, orientation);
    text(DCM_PixelSpacing, fmt::format("{}\\{}", kSpacing[1], kSpacing[0]));
    text(DCM_SliceThickness, "7");  // does not say how far they lie apart
    text(DCM_RescaleSlope, "1");
    text(DCM_RescaleIntercept, "-1024");
    text(DCM_PhotometricInterpretation, "MONOCHROME2");
    us(DCM_SamplesPerPixel, 1);
    us(DCM_Rows, kSize[1]);
    us(DCM_Columns, kSize[0]);
    us(DCM_BitsAllocated, 16);
    us(DCM_BitsStored, 16);
    us(DCM_HighBit, 15);
    us(DCM_PixelRepresentation, 0);
    std::vector<Uint16> pixels(static_cast<std::size_t>(kSize[0] * kSize[1]));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<Uint16>(1000 + i % 97);
    check(data.putAndInsertUint16Array(DCM_PixelData, pixels.data(), static_cast<unsigned long>(pixels.size())), "pixels");
    if (how.bare)
      for (const DcmTagKey& tag : {DCM_StudyInstanceUID, DCM_SeriesInstanceUID, DCM_FrameOfReferenceUID}) data.findAndDeleteElement(tag);
    check(file.saveFile((folder / fmt::format("im{:03}.dcm", number)).c_str(), EXS_LittleEndianExplicit), "save");
  }
}

std::shared_ptr<const image::DicomSource> source_in(const std::filesystem::path& folder) {
  const image::DicomStudy study = image::read_dicom_study(folder);
  if (study.series.size() != 1) throw Error(ErrorKind::internal, "one series wanted");
  const auto volumes = image::volumes_of(study.series[0]);
  if (volumes.size() != 1 || !volumes[0].refusal.empty()) throw Error(ErrorKind::internal, "one volume wanted");
  return std::make_shared<image::DicomSource>(volumes[0]);
}

image::Image labels_on(const image::DicomSource& source) {
  const Shape shape = source.volume().shape();
  const image::Affine affine = source.volume().affine();
  Array labels = Array::zeros({1, shape[0], shape[1], shape[2]}, DType::u8);
  std::uint8_t* p = labels.data<std::uint8_t>();
  for (std::int64_t x = 0; x < shape[0]; ++x)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t z = 0; z < shape[2]; ++z, ++p) {
        const auto w = image::apply(affine, {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        const double dx = w[0] - 12.5, dy = w[1] + 31.25, dz = w[2] - 410;
        if (std::hypot((dx + 3) / 3, (dy - 2) / 4, (dz + 2) / 3.4) < 1) *p = 3;
        const double ring = std::hypot((dx - 3.2) / 3.2, (dy + 3.5) / 3.6);
        if (ring < 1 && ring > 0.45 && std::fabs(dz - 2) < 5) *p = 7;
      }
  const std::array<std::int64_t, 3> corner{0, shape[1] - 1, 2};
  labels.data<std::uint8_t>()[(corner[0] * shape[1] + corner[1]) * shape[2] + corner[2]] = 200;
  return image::Image(labels, affine);
}

results::Result result_on(std::shared_ptr<const image::DicomSource> source, bool several_channels) {
  image::Image mask = labels_on(*source);
  std::map<std::int64_t, std::string> names{{0, "background"}, {3, "spleen"}, {7, "kidney_left"}, {200, "thing"}, {9, "liver"}};
  if (several_channels) {
    const Array& one = mask.array();
    Shape shape = one.shape();
    shape[0] = 3;
    Array channels = Array::zeros(shape, DType::u8);
    const std::int64_t n = one.numel();
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint8_t v = one.data<std::uint8_t>()[i];
      channels.data<std::uint8_t>()[i] = v == 3;
      channels.data<std::uint8_t>()[n + i] = v == 3 || v == 7;  // overlaps the first
      channels.data<std::uint8_t>()[2 * n + i] = v == 200;
    }
    mask = image::Image(channels, mask.affine);
    names = {{0, "spleen"}, {1, "whole tumor"}, {2, "thing"}};
  }
  bundle::BundleFacts facts;
  facts.name = "Made bundle";
  facts.version = "1.2.3";
  facts.task = "Test";
  facts.intended_use = "Demonstration, not for diagnosis";
  results::Result result = results::make_result(std::move(mask), names, facts, std::move(source));
  result.scan = [affine = result.mask.affine, shape = result.mask.shape()] {
    Array scan = Array::full({1, shape[1], shape[2], shape[3]}, DType::i16, 40);
    return image::Image(scan, affine);
  };
  result.software = "vesal 0.0.0";
  result.input = "made";
  return result;
}

}  // namespace vesal::dicom::testing
