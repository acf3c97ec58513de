// DICOM series for tests, written with GDCM: a volume as classic files or as one enhanced file, in any transfer syntax that GDCM can write.
#pragma once
#include <fmt/format.h>
#include <gdcmImage.h>
#include <gdcmImageChangeTransferSyntax.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmWriter.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "image/image.h"

namespace vesal::tests {

using gdcm::DataSet;
using gdcm::TransferSyntax;

/// Replaces an element; text is padded as PS3.5 wants it.
inline void put(DataSet& data, std::uint32_t tag, gdcm::VR vr, std::string bytes) {
  if (bytes.size() % 2 == 1) bytes += vr == gdcm::VR::UI ? '\0' : ' ';
  gdcm::DataElement e(gdcm::Tag(tag), 0, vr);
  e.SetByteValue(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  data.Replace(e);
}
inline void put_us(DataSet& data, std::uint32_t tag, int value) {
  const auto word = static_cast<std::uint16_t>(value);
  put(data, tag, gdcm::VR::US, std::string(reinterpret_cast<const char*>(&word), 2));
}
inline void put_ds(DataSet& data, std::uint32_t tag, const std::vector<double>& values) {
  std::string text;
  for (const double v : values) text += fmt::format("{}{:.10g}", text.empty() ? "" : "\\", v);
  put(data, tag, gdcm::VR::DS, text);
}
inline void put_items(DataSet& data, std::uint32_t tag, const std::vector<DataSet>& items) {
  const gdcm::SmartPointer<gdcm::SequenceOfItems> sequence = new gdcm::SequenceOfItems;
  sequence->SetLengthToUndefined();
  for (const DataSet& nested : items) {
    gdcm::Item item;
    item.SetVLToUndefined();
    item.SetNestedDataSet(nested);
    sequence->AddItem(item);
  }
  gdcm::DataElement e(gdcm::Tag(tag), 0, gdcm::VR::SQ);
  e.SetValue(*sequence);
  e.SetVLToUndefined();
  data.Replace(e);
}

struct DicomWriting {
  TransferSyntax::TSType syntax = TransferSyntax::ExplicitVRLittleEndian;
  bool enhanced = false;
  bool reversed = false;  ///< file names and instance numbers run against the slices
  bool is_signed = true;
  int bits_stored = 16;
  double slope = 1, intercept = 0;
  std::string modality = "CT", series = "2.25.1001", prefix = "slice";
  std::function<void(DataSet&, std::int64_t z)> change = [](DataSet&, std::int64_t) {};  ///< the last word on a file's data set
};

inline const char* sop_class_of(const DicomWriting& how) {
  if (how.modality == "CT") return how.enhanced ? "1.2.840.10008.5.1.4.1.1.2.1" : "1.2.840.10008.5.1.4.1.1.2";
  return how.enhanced ? "1.2.840.10008.5.1.4.1.1.4.1" : "1.2.840.10008.5.1.4.1.1.4";
}

/// Column `axis` of a RAS affine in LPS, of length 1 unless it is the origin (axis 3).
inline std::vector<double> lps(const image::Affine& a, int axis) {
  const double length = axis < 3 ? image::spacing_of(a)[static_cast<std::size_t>(axis)] : 1;
  return {-a(0, axis) / length, -a(1, axis) / length, a(2, axis) / length};
}
inline std::vector<double> place_of(const image::Affine& a, std::int64_t z) {
  const auto p = image::apply(a, {0, 0, static_cast<double>(z)});
  return {-p[0], -p[1], p[2]};
}

/// The stored values [x, y] of `slices` as pixel data.
inline gdcm::DataElement pixels_of(const std::vector<Array>& slices, const DicomWriting& how) {
  std::vector<char> bytes;
  for (const Array& slice : slices)
    for (std::int64_t y = 0; y < slice.size(1); ++y)
      for (std::int64_t x = 0; x < slice.size(0); ++x) {
        const auto stored = static_cast<std::int32_t>(std::lround((slice.at({x, y}) - how.intercept) / how.slope));
        bytes.push_back(static_cast<char>(stored & 0xff));
        bytes.push_back(static_cast<char>(stored >> 8 & (how.bits_stored > 8 ? (1 << (how.bits_stored - 8)) - 1 : 0)));
      }
  gdcm::DataElement e(gdcm::Tag(0x7fe0, 0x0010), 0, gdcm::VR::OW);
  e.SetByteValue(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  if (!TransferSyntax(how.syntax).IsEncapsulated()) return e;
  const gdcm::SmartPointer<gdcm::Image> picture = new gdcm::Image;  // the filter takes part in owning it
  picture->SetNumberOfDimensions(slices.size() > 1 ? 3 : 2);
  picture->SetDimension(0, static_cast<unsigned>(slices[0].size(0)));
  picture->SetDimension(1, static_cast<unsigned>(slices[0].size(1)));
  if (slices.size() > 1) picture->SetDimension(2, static_cast<unsigned>(slices.size()));
  picture->SetPixelFormat(
      gdcm::PixelFormat(1, 16, static_cast<unsigned short>(how.bits_stored), static_cast<unsigned short>(how.bits_stored - 1), how.is_signed));
  picture->SetPhotometricInterpretation(gdcm::PhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2));
  picture->SetTransferSyntax(TransferSyntax::ExplicitVRLittleEndian);
  picture->SetDataElement(e);
  gdcm::ImageChangeTransferSyntax change;
  change.SetTransferSyntax(how.syntax);
  change.SetInput(*picture);
  if (!change.Change()) throw std::runtime_error("GDCM cannot write this transfer syntax");
  return change.GetOutput().GetDataElement();
}

inline void put_common(DataSet& data, const Shape& shape, const DicomWriting& how, const std::string& instance) {
  using gdcm::VR;
  put(data, 0x00080016, VR::UI, sop_class_of(how));
  put(data, 0x00080018, VR::UI, instance);
  put(data, 0x00080008, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
  put(data, 0x00080060, VR::CS, how.modality);
  put(data, 0x0008103e, VR::LO, "phantom");
  put(data, 0x00100010, VR::PN, "Nobody^Test");
  put(data, 0x00100020, VR::LO, "0");
  put(data, 0x0020000d, VR::UI, "2.25.1000");
  put(data, 0x0020000e, VR::UI, how.series);
  put(data, 0x00200052, VR::UI, "2.25.1002");
  put_us(data, 0x00280002, 1);
  put(data, 0x00280004, VR::CS, "MONOCHROME2");
  put_us(data, 0x00280010, static_cast<int>(shape[1]));
  put_us(data, 0x00280011, static_cast<int>(shape[0]));
  put_us(data, 0x00280100, 16);
  put_us(data, 0x00280101, how.bits_stored);
  put_us(data, 0x00280102, how.bits_stored - 1);
  put_us(data, 0x00280103, how.is_signed ? 1 : 0);
}

inline void put_orientation(DataSet& data, const image::Affine& a) {
  auto directions = lps(a, 0);
  for (const double v : lps(a, 1)) directions.push_back(v);
  put_ds(data, 0x00200037, directions);
}
inline void put_spacing(DataSet& data, const image::Affine& a) {
  const auto spacing = image::spacing_of(a);
  put_ds(data, 0x00280030, {spacing[1], spacing[0]});
  put_ds(data, 0x00180050, {spacing[2] * 1.5});  // not to be believed
}
inline void put_rescale(DataSet& data, const DicomWriting& how) {
  put_ds(data, 0x00281052, {how.intercept});
  put_ds(data, 0x00281053, {how.slope});
}

inline void write_file(const std::filesystem::path& path, const DataSet& data, const DicomWriting& how) {
  std::filesystem::create_directories(path.parent_path());
  gdcm::Writer writer;
  writer.GetFile().SetDataSet(data);
  writer.GetFile().GetHeader().SetDataSetTransferSyntax(how.syntax);
  writer.SetFileName(path.string().c_str());
  if (!writer.Write()) throw std::runtime_error("GDCM cannot write " + path.string());
}

/// `scan` is [x, y, z]; slice z gets the SOP instance "SERIES.z" (from 1), the enhanced file "SERIES.1".
inline void write_dicom(const std::filesystem::path& folder, const image::Image& scan, const DicomWriting& how = {}) {
  const Array& voxels = scan.array();
  const std::int64_t count = voxels.size(2);
  if (how.enhanced) {
    DataSet data, shared, measures, orientation, rescale;
    put_common(data, voxels.shape(), how, how.series + ".1");
    put(data, 0x00280008, gdcm::VR::IS, std::to_string(count));
    put_spacing(measures, scan.affine);
    put_orientation(orientation, scan.affine);
    put_rescale(rescale, how);
    put_items(shared, 0x00289110, {measures});
    put_items(shared, 0x00209116, {orientation});
    put_items(shared, 0x00289145, {rescale});
    put_items(data, 0x52009229, {shared});
    std::vector<DataSet> frames;
    std::vector<Array> slices;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t z = how.reversed ? count - 1 - i : i;
      DataSet frame, position;
      put_ds(position, 0x00200032, place_of(scan.affine, z));
      put_items(frame, 0x00209113, {position});
      frames.push_back(frame);
      slices.push_back(voxels.select(2, z));
    }
    put_items(data, 0x52009230, frames);
    data.Replace(pixels_of(slices, how));
    how.change(data, 0);
    write_file(folder / (how.prefix + ".dcm"), data, how);
    return;
  }
  for (std::int64_t z = 0; z < count; ++z) {
    const std::int64_t number = how.reversed ? count - z : z + 1;
    DataSet data;
    put_common(data, voxels.shape(), how, fmt::format("{}.{}", how.series, z + 1));
    put(data, 0x00200013, gdcm::VR::IS, std::to_string(number));
    put_ds(data, 0x00200032, place_of(scan.affine, z));
    put_orientation(data, scan.affine);
    put_spacing(data, scan.affine);
    put_rescale(data, how);
    data.Replace(pixels_of({voxels.select(2, z)}, how));
    how.change(data, z);
    write_file(folder / fmt::format("{}{:04}.dcm", how.prefix, number), data, how);
  }
}

}  // namespace vesal::tests
