// Compressed frames. RLE is undone here; JPEG, JPEG-LS and JPEG 2000 by a library that is loaded late, after their own headers have been compared
// with the file's: decoders trust the one and write into buffers that were made for the other.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/error.h"
#include "base/plugin.h"
#include "image/dicom_bytes.h"
#include "image/dicom_pixels.h"

namespace vesal::image {
namespace {

using Bytes = std::span<const std::byte>;
enum class Coding { native, rle, jpeg, jpeg_ls, jpeg_2000 };

struct Syntax {
  const char* uid;
  Coding coding;
  const char* name;
};
constexpr Syntax kSyntaxes[] = {
    {"1.2.840.10008.1.2", Coding::native, "implicit, little endian"},
    {"1.2.840.10008.1.2.1", Coding::native, "explicit, little endian"},
    {"1.2.840.10008.1.2.1.99", Coding::native, "deflated"},
    {"1.2.840.10008.1.2.2", Coding::native, "explicit, big endian"},
    {"1.2.840.10008.1.2.5", Coding::rle, "RLE"},
    {"1.2.840.10008.1.2.4.50", Coding::jpeg, "JPEG, lossy"},
    {"1.2.840.10008.1.2.4.51", Coding::jpeg, "JPEG extended, lossy"},
    {"1.2.840.10008.1.2.4.57", Coding::jpeg, "JPEG lossless"},
    {"1.2.840.10008.1.2.4.70", Coding::jpeg, "JPEG lossless"},
    {"1.2.840.10008.1.2.4.80", Coding::jpeg_ls, "JPEG-LS"},
    {"1.2.840.10008.1.2.4.81", Coding::jpeg_ls, "JPEG-LS, lossy"},
    {"1.2.840.10008.1.2.4.90", Coding::jpeg_2000, "JPEG 2000"},
    {"1.2.840.10008.1.2.4.91", Coding::jpeg_2000, "JPEG 2000, lossy"},
};

const Syntax* find(const std::string& uid) {
  const auto* it = std::find_if(std::begin(kSyntaxes), std::end(kSyntaxes), [&](const Syntax& s) { return uid == s.uid; });
  return it == std::end(kSyntaxes) ? nullptr : it;
}

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, "compressed pixels: " + what); }

void check_size(const DicomPixelFormat& f, std::uint64_t columns, std::uint64_t rows, unsigned components, unsigned bits) {
  if (columns != static_cast<std::uint64_t>(f.columns) || rows != static_cast<std::uint64_t>(f.rows) || components != 1 ||
      bits > static_cast<unsigned>(f.allocated) || bits == 0)
    damaged(fmt::format("{} x {} of {} components and {} bits, the file declares {} x {}, 1 and {}", columns, rows, components, bits, f.columns,
                        f.rows, f.allocated));
}

/// The frame header of JPEG and JPEG-LS (ITU T.81, B.2.2; T.87, C.2.2). GDCM ends the program at what it does not expect: at kinds of frames, at
/// depths other than the file's, at anything that its library warns of before the scan. So all segments up to the scan must be there, one
/// after the other, and be known.
void check_frame_header(Bytes bytes, std::size_t at, std::uint8_t marker, const DicomPixelFormat& f, bool ls) {
  const DicomBytesReader in{bytes, true};
  const auto bits = in.u8(at + 4);
  const bool wide = f.stored > 8;
  const bool lossy = (marker == 0xc0 || marker == 0xc1) && bits == (wide ? 12 : 8) && f.stored <= 12;
  const bool lossless = marker == 0xc3 && (wide ? bits > 8 : bits == 8) && bits <= 16;
  if (!(ls ? marker == 0xf7 : lossy || lossless)) damaged(fmt::format("a kind of JPEG that is not read (marker {:02x}, {} bits)", marker, bits));
  check_size(f, in.u16(at + 7), in.u16(at + 5), in.u8(at + 9), bits);
}

/// Returns the picture without comments and segments of applications.
std::vector<std::byte> checked_jpeg(Bytes bytes, const DicomPixelFormat& f, bool ls) {
  const DicomBytesReader in{bytes, true};
  if (in.u16(0) != 0xffd8) damaged("not JPEG");
  std::vector<std::byte> out(bytes.begin(), bytes.begin() + 2);
  bool framed = false;
  for (std::size_t at = 2;;) {
    if (in.u8(at) != 0xff) damaged("no marker where one should be");
    const auto marker = in.u8(at + 1);
    if (marker == 0xff) {
      ++at;
      continue;
    }
    const std::size_t size = in.u16(at + 2);
    if (size < 2 || at + 2 + size > bytes.size()) damaged("cut short within a header");
    const Bytes segment = bytes.subspan(at, 2 + size);
    const bool frame = marker == 0xf7 || (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc);
    const bool aside = marker == 0xfe || (marker >= 0xe0 && marker <= 0xef && !(ls && marker == 0xe8));
    if (frame) {
      if (framed) damaged("two frame headers");
      check_frame_header(bytes, at, marker, f, ls);
      framed = true;
    } else if (marker == 0xda) {
      if (!framed) damaged("no frame header before the pixels");
      out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
      return out;
    } else if (!aside && marker != 0xc4 && marker != 0xdb && marker != 0xdd && !(ls && (marker == 0xf8 || marker == 0xe8))) {
      damaged(fmt::format("an unknown marker {:02x}", marker));
    }
    if (!aside) out.insert(out.end(), segment.begin(), segment.end());
    at += 2 + size;
  }
}

/// Image and tile size of JPEG 2000 (ITU T.800, A.5.1), in a bare codestream or within JP2's boxes.
void check_jpeg_2000(Bytes bytes, const DicomPixelFormat& f) {
  constexpr std::array<std::byte, 4> kStart{std::byte{0xff}, std::byte{0x4f}, std::byte{0xff}, std::byte{0x51}};
  const auto start = std::search(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 4096)),
                                 kStart.begin(), kStart.end());
  const DicomBytesReader in{bytes.subspan(static_cast<std::size_t>(start - bytes.begin())), true};
  if (in.bytes.size() < 44 || in.u32(0) != 0xff4fff51) damaged("not JPEG 2000");
  const std::uint64_t right = in.u32(8), bottom = in.u32(12), left = in.u32(16), top = in.u32(20);
  const std::uint64_t tile_width = in.u32(24), tile_height = in.u32(28);
  if (right < left || bottom < top || tile_width == 0 || tile_height == 0) damaged("no picture in its frame");
  check_size(f, right - left, bottom - top, in.u16(40), (in.u8(42) & 0x7fu) + 1);
  if (in.u8(43) != 1 || in.u8(44) != 1) damaged("subsampled");
  constexpr std::uint64_t kMostTiles = 4096;
  const std::uint64_t across = right / tile_width + 1, down = bottom / tile_height + 1;
  if (across > kMostTiles || down > kMostTiles || across * down > kMostTiles) damaged("absurdly many tiles");
}

/// PS3.5, annex G: a plane of PackBits for each byte of a pixel, the most significant first.
void undo_rle(Bytes bytes, const DicomPixelFormat& f, std::span<std::byte> out) {
  const DicomBytesReader in{bytes};
  const auto planes = static_cast<std::size_t>(f.allocated / 8);
  if (in.u32(0) != planes) damaged(fmt::format("{} planes of RLE for pixels of {} bytes", in.u32(0), planes));
  const std::size_t pixels = out.size() / planes;
  for (std::size_t plane = 0; plane < planes; ++plane) {
    std::size_t at = in.u32(4 + 4 * plane), done = 0;
    std::byte* to = out.data() + (planes - 1 - plane);
    while (done < pixels) {
      const auto code = static_cast<std::int8_t>(in.u8(at++));
      if (code == -128) continue;
      const std::size_t count = std::min<std::size_t>(code < 0 ? 1 - code : code + 1, pixels - done);
      for (std::size_t i = 0; i < count; ++i) to[(done + i) * planes] = std::byte{in.u8(code < 0 ? at : at + i)};
      at += code < 0 ? 1 : static_cast<std::size_t>(code) + 1;
      done += count;
    }
  }
}

/// Set by a thread that loads the part while others may ask.
std::atomic<FrameDecoder>& decoder() {
  static std::atomic<FrameDecoder> the_one{nullptr};
  return the_one;
}

}  // namespace

RegisterFrameDecoder::RegisterFrameDecoder(FrameDecoder by) { decoder() = by; }

bool is_native(const std::string& transfer_syntax) {
  const Syntax* s = find(transfer_syntax);
  return s && s->coding == Coding::native;
}

std::string transfer_syntax_name(const std::string& transfer_syntax) {
  const Syntax* s = find(transfer_syntax);
  return s ? s->name : transfer_syntax;
}

void check_transfer_syntax(const std::string& transfer_syntax) {
  if (!find(transfer_syntax))
    throw Error(ErrorKind::unsupported, "transfer syntax " + transfer_syntax + " cannot be decoded; have the archive send explicit little endian");
}

void decode_frame(const std::vector<Bytes>& parts, const std::string& transfer_syntax, const DicomPixelFormat& format, std::span<std::byte> out) {
  check_transfer_syntax(transfer_syntax);
  const Syntax& syntax = *find(transfer_syntax);
  std::vector<std::byte> joined;
  Bytes bytes = parts[0];
  if (parts.size() > 1) {
    for (const Bytes& part : parts) joined.insert(joined.end(), part.begin(), part.end());
    bytes = joined;
  }
  if (bytes.size() > 0xfffffffe) damaged("a frame of more than 4 GiB");
  switch (syntax.coding) {
    case Coding::native: throw Error(ErrorKind::internal, "a native frame is not decoded");
    case Coding::rle: return undo_rle(bytes, format, out);
    case Coding::jpeg:
    case Coding::jpeg_ls:
      joined = checked_jpeg(bytes, format, syntax.coding == Coding::jpeg_ls);
      bytes = joined;
      break;
    case Coding::jpeg_2000: check_jpeg_2000(bytes, format); break;
  }
  if (!decoder()) plugin::dicom().load();
  if (!decoder()) throw Error(ErrorKind::unsupported, "compressed pixels: this program was built without decoders for them");
  try {
    if (!decoder().load()(bytes, syntax.uid, format, out)) damaged("they cannot be decoded");
  } catch (const Error&) { throw; } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) { damaged(e.what()); }
}

}  // namespace vesal::image
