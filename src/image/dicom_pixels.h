// The pixels of a DICOM file, frame by frame: as they lie in the file, or decoded.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "image/dicom_files.h"

namespace vesal::image {

/// How stored values lie in memory (PS3.5, section 8): one sample a pixel, in 8, 16 or 32 bits.
struct DicomPixelFormat {
  std::int64_t rows = 0, columns = 0, frames = 1;
  int allocated = 16, stored = 16, high_bit = 15;
  bool is_signed = false;
  std::string photometric;  ///< "MONOCHROME2"
  std::uint64_t frame_bytes() const {
    return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * static_cast<unsigned>(allocated / 8);
  }
  bool operator==(const DicomPixelFormat&) const = default;
};

/// Throws Error(format) where numbers are missing or contradict each other, Error(unsupported) for colour and for other widths.
DicomPixelFormat pixel_format_of(const DicomDataset& data);

/// Whether pixels of this transfer syntax lie in the file as they are.
bool is_native(const std::string& transfer_syntax);
/// "JPEG 2000"; the identifier itself for one that cannot be decoded.
std::string transfer_syntax_name(const std::string& transfer_syntax);
/// Throws Error(unsupported), naming it, if its pixels cannot be decoded.
void check_transfer_syntax(const std::string& transfer_syntax);

/// Decodes the frames of one file; thread safe.
class DicomPixels {
 public:
  /// Throws Error(format) if fewer pixels are there than the header declares, or the fragments cannot be told apart by frame.
  explicit DicomPixels(std::shared_ptr<const DicomObject> object);
  const DicomPixelFormat& format() const { return format_; }
  /// The stored values of a frame, row by row, in this machine's order of bytes unless `swapped`. Throws Error(format) for damaged ones; what a
  /// compressed frame says of its own size is compared with the header before it is decoded.
  struct Frame {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
    bool swapped = false;
  };
  Frame frame(std::int64_t index) const;

 private:
  void share_out(std::span<const std::byte> pixels);
  std::shared_ptr<const DicomObject> object_;
  DicomPixelFormat format_;
  std::vector<std::vector<std::span<const std::byte>>> frames_;  ///< fragments of each; one without compression
};

/// Decodes one compressed frame into `out` (frame_bytes()); `parts` one after the other are its bytes. Errors as DicomPixels::frame().
void decode_frame(const std::vector<std::span<const std::byte>>& parts, const std::string& transfer_syntax, const DicomPixelFormat& format,
                  std::span<std::byte> out);

/// What undoes the compressions that decode_frame() does not undo itself; there is one. False, or any exception, where the bytes are damaged.
/// `transfer_syntax` is one of those that check_transfer_syntax() knows, `bytes` one frame whose own header says what `format` does.
using FrameDecoder = bool (*)(std::span<const std::byte> bytes, const std::string& transfer_syntax, const DicomPixelFormat& format,
                              std::span<std::byte> out);
struct RegisterFrameDecoder {
  explicit RegisterFrameDecoder(FrameDecoder decoder);
};

}  // namespace vesal::image
