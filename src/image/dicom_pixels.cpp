#include "image/dicom_pixels.h"

#include <fmt/format.h>

#include "base/error.h"
#include "image/dicom_bytes.h"
#include "image/voxels.h"

namespace vesal::image {

DicomPixelFormat pixel_format_of(const DicomDataset& data) {
  const auto wanted = [&](DicomTag tag, const char* name, std::int64_t low, std::int64_t high) {
    const auto value = data.integer(tag, low, high);
    if (!value) throw Error(ErrorKind::format, fmt::format("{} {} is missing", name, to_text(tag)));
    return *value;
  };
  DicomPixelFormat f;
  f.rows = wanted(0x00280010, "Rows", 1, 65535);
  f.columns = wanted(0x00280011, "Columns", 1, 65535);
  f.frames = data.integer(0x00280008, 1, 1 << 17).value_or(1);
  f.photometric = data.text(0x00280004);
  if (const auto samples = data.integer(0x00280002, 1, 65535).value_or(1); samples != 1 || !f.photometric.starts_with("MONOCHROME"))
    throw Error(ErrorKind::unsupported, fmt::format("colour pixels ({}, {} samples) are no scan", f.photometric, samples));
  f.allocated = static_cast<int>(wanted(0x00280100, "BitsAllocated", 1, 64));
  if (f.allocated != 8 && f.allocated != 16 && f.allocated != 32) throw Error(ErrorKind::unsupported, fmt::format("pixels of {} bits", f.allocated));
  f.stored = static_cast<int>(data.integer(0x00280101, 1, f.allocated).value_or(f.allocated));
  f.high_bit = static_cast<int>(data.integer(0x00280102, f.stored - 1, f.allocated - 1).value_or(f.stored - 1));
  f.is_signed = data.integer(0x00280103, 0, 1).value_or(0) == 1;
  return f;
}

DicomPixels::DicomPixels(std::shared_ptr<const DicomObject> object) : object_(std::move(object)), format_(pixel_format_of(object_->data())) {
  const DicomDataset& data = object_->data();
  const DicomElement* pixels = data.find(kPixelData);
  if (!pixels) throw Error(ErrorKind::format, "no pixel data");
  check_transfer_syntax(object_->transfer_syntax());
  if (is_native(object_->transfer_syntax())) {
    const std::uint64_t wanted = format_.frame_bytes() * static_cast<std::uint64_t>(format_.frames);
    if (pixels->undefined) throw Error(ErrorKind::format, "its pixels are in fragments, though its transfer syntax has none");
    if (pixels->value.size() < wanted)
      throw Error(ErrorKind::format, fmt::format("cut short: {} frames of {} x {} take {} bytes, {} are there", format_.frames, format_.columns,
                                                 format_.rows, wanted, pixels->value.size()));
    for (std::int64_t i = 0; i < format_.frames; ++i)
      frames_.push_back({pixels->value.subspan(static_cast<std::uint64_t>(i) * format_.frame_bytes(), format_.frame_bytes())});
    return;
  }
  if (!pixels->undefined) throw Error(ErrorKind::format, "its pixels are in no fragments, though its transfer syntax compresses them");
  share_out(pixels->value);
}

/// Fragments to frames (PS3.5, A.4): all for the only frame, one for each, or as the offset table says.
void DicomPixels::share_out(std::span<const std::byte> pixels) {
  auto fragments = dicom_fragments(pixels);
  if (fragments.size() < 2) throw Error(ErrorKind::format, "no pixels behind the offset table");
  const DicomBytesReader offsets{fragments[0]};
  fragments.erase(fragments.begin());
  const auto frames = static_cast<std::size_t>(format_.frames);
  if (frames == 1) {
    frames_.push_back(std::move(fragments));
    return;
  }
  if (fragments.size() == frames) {
    for (const auto& fragment : fragments) frames_.push_back({fragment});
    return;
  }
  if (offsets.bytes.size() != 4 * frames)
    throw Error(ErrorKind::format, fmt::format("{} fragments for {} frames, and no table says which are whose", fragments.size(), frames));
  constexpr std::ptrdiff_t kItemHeader = 8;
  const std::byte* first = fragments[0].data() - kItemHeader;
  std::size_t next = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    const std::uint64_t begin = offsets.u32(4 * i), end = i + 1 < frames ? offsets.u32(4 * (i + 1)) : ~std::uint64_t{0};
    std::vector<std::span<const std::byte>> own;
    for (; next < fragments.size() && static_cast<std::uint64_t>(fragments[next].data() - kItemHeader - first) < end; ++next)
      if (static_cast<std::uint64_t>(fragments[next].data() - kItemHeader - first) >= begin) own.push_back(fragments[next]);
    if (own.empty()) throw Error(ErrorKind::format, fmt::format("the offset table has nothing for frame {}", i + 1));
    frames_.push_back(std::move(own));
  }
}

DicomPixels::Frame DicomPixels::frame(std::int64_t index) const {
  if (index < 0 || index >= format_.frames) throw Error(ErrorKind::format, fmt::format("frame {} of {}", index + 1, format_.frames));
  const auto& parts = frames_[static_cast<std::size_t>(index)];
  if (is_native(object_->transfer_syntax())) return {object_, parts[0], object_->data().encoding().big_endian && format_.allocated > 8};
  std::uint64_t stored = 0;
  for (const auto& part : parts) stored += part.size();
  check_allocation(format_.frame_bytes(), stored);
  const auto buffer = allocate(format_.frame_bytes());
  const std::span<std::byte> out(static_cast<std::byte*>(buffer.get()), format_.frame_bytes());
  decode_frame(parts, object_->transfer_syntax(), format_, out);
  return {buffer, out};
}

}  // namespace vesal::image
