// DICOM files of any bytes: read to their last pixel or refused with an Error, nothing else.
#include "base/error.h"
#include "image/dicom_study.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vesal::image;
  const DicomFile::Bytes bytes{nullptr, std::as_bytes(std::span(data, size))};
  try {
    const auto object = std::make_shared<DicomObject>(bytes);
    const DicomContents contents = read_dicom_contents(DicomFile(std::filesystem::path("fuzzed")), *object);
    // What is large is slow, not wrong.
    constexpr std::uint64_t kLargest = 1 << 20;
    const DicomPixelFormat format = pixel_format_of(object->data());
    if (format.frame_bytes() > kLargest) return 0;
    const DicomPixels pixels(object);
    volatile unsigned sum = 0;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(format.frames, 4); ++i)
      for (const std::byte b : pixels.frame(i).bytes) sum = sum + static_cast<unsigned>(b);
  } catch (const vesal::Error&) {
  } catch (const std::bad_alloc&) {}
  return 0;
}
