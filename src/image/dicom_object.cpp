// A DICOM file opened: preamble, meta information, transfer syntax, data set (PS3.10, section 7).
#include <zlib.h>

#include <cstring>

#include "image/dicom_bytes.h"
#include "image/dicom_files.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

constexpr const char *kImplicit = "1.2.840.10008.1.2", *kDeflated = "1.2.840.10008.1.2.1.99", *kBigEndian = "1.2.840.10008.1.2.2";
constexpr std::size_t kPreamble = 132;

bool has_preamble(std::span<const std::byte> head) { return head.size() >= kPreamble && std::memcmp(head.data() + 128, "DICM", 4) == 0; }

bool is_vr_letter(std::byte b) { return b >= std::byte{'A'} && b <= std::byte{'Z'}; }

/// Whether a data set begins here: group 2 or 8, with two letters of a VR, or with a length that is not absurd.
bool begins_data_set(std::span<const std::byte> head) {
  if (head.size() < 16) return false;
  const DicomBytesReader in{head};
  const auto group = in.u16(0), element = in.u16(2);
  if ((group != 2 && group != 8) || element > 0x0100) return false;
  return (is_vr_letter(head[4]) && is_vr_letter(head[5])) || in.u32(4) <= 256;
}

/// Raw DEFLATE, as PS3.5 (A.5) has it; grows as it goes, so that nobody pays for what was only declared.
DicomFile::Bytes inflated(std::span<const std::byte> in) {
  constexpr std::size_t kChunk = 1 << 20;
  const auto out = std::make_shared<std::vector<std::byte>>();
  z_stream z{};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> ending(&z, inflateEnd);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  std::size_t left = in.size();
  int state = Z_OK;
  while (state == Z_OK) {
    if (z.avail_in == 0) {
      const auto next = static_cast<uInt>(std::min<std::size_t>(left, 1u << 30));
      z.avail_in = next;
      left -= next;
    }
    const std::size_t at = out->size();
    check_allocation(at + kChunk, in.size());
    out->resize(at + kChunk);
    z.next_out = reinterpret_cast<Bytef*>(out->data() + at);
    z.avail_out = kChunk;
    state = inflate(&z, Z_NO_FLUSH);
    out->resize(at + kChunk - z.avail_out);
    if (state == Z_BUF_ERROR || (state == Z_OK && z.avail_in == 0 && left == 0 && z.avail_out > 0))
      throw Error(ErrorKind::format, "cut short: its deflated data set has no end");
  }
  if (state != Z_STREAM_END) throw Error(ErrorKind::format, "its deflated data set is damaged");
  return {out, *out};
}

}  // namespace

bool looks_like_dicom(std::span<const std::byte> head) { return has_preamble(head) || begins_data_set(head); }

DicomObject::DicomObject(const DicomFile& file) : bytes_(file.open()) {
  with_context("reading " + file.name(), [&] { parse(); });
}

DicomObject::DicomObject(DicomFile::Bytes bytes) : bytes_(std::move(bytes)) { parse(); }

void DicomObject::parse() {
  auto bytes = bytes_.bytes;
  stored_ = bytes.size();
  if (!looks_like_dicom(bytes)) throw Error(ErrorKind::format, "not a DICOM file");
  if (has_preamble(bytes)) bytes = bytes.subspan(kPreamble);

  // The meta information: group 2, always explicit and little endian.
  const DicomBytesReader in{bytes};
  std::size_t end = 0;
  while (end + 8 <= bytes.size() && in.u16(end) == 2) {
    const bool wide = in.u8(end + 4) == 'O' || (in.u8(end + 4) == 'U' && in.u8(end + 5) != 'I' && in.u8(end + 5) != 'L' && in.u8(end + 5) != 'S');
    const std::uint64_t next = end + (wide ? 12 + std::uint64_t{in.u32(end + 8)} : 8 + std::uint64_t{in.u16(end + 6)});
    if (next > bytes.size()) throw Error(ErrorKind::format, "cut short within its meta information");
    end = next;
  }
  const DicomDataset meta(bytes.first(end), {});
  transfer_syntax_ = meta.text(0x00020010);
  bytes = bytes.subspan(end);
  if (transfer_syntax_ == kDeflated) {
    bytes_ = inflated(bytes);
    bytes = bytes_.bytes;
  }
  DicomEncoding encoding{.explicit_vr = transfer_syntax_ != kImplicit, .big_endian = transfer_syntax_ == kBigEndian};
  if (transfer_syntax_.empty()) {
    encoding.explicit_vr = bytes.size() >= 6 && is_vr_letter(bytes[4]) && is_vr_letter(bytes[5]);
    transfer_syntax_ = encoding.explicit_vr ? "1.2.840.10008.1.2.1" : kImplicit;
  }
  data_ = DicomDataset(bytes, encoding);
  const auto either = [&](DicomTag tag, DicomTag in_meta) {
    const std::string text = data_.text(tag);
    return text.empty() ? meta.text(in_meta) : text;
  };
  sop_class_ = either(0x00080016, 0x00020002);
  sop_instance_ = either(0x00080018, 0x00020003);
}

}  // namespace vesal::image
