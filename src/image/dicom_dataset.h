// A DICOM data set as a view of bytes in memory (PS3.5, section 7): nothing is copied, nothing is allocated for what a file merely declares.
// GDCM's own parser allocates every declared length and recurses as deep as a file likes, so it only gets pixels that were measured before.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vesal::image {

/// Group in the upper 16 bits, element in the lower: 0x00280010 is Rows.
using DicomTag = std::uint32_t;
constexpr DicomTag kPixelData = 0x7fe00010;

/// "(0028,0010)"
std::string to_text(DicomTag tag);

struct DicomEncoding {
  bool explicit_vr = true, big_endian = false;
};

struct DicomElement {
  DicomTag tag = 0;
  std::uint16_t vr = 0;    ///< its two letters, the first in the upper byte; 0 with implicit VR
  bool undefined = false;  ///< the length was not declared: a sequence up to its delimiter, or encapsulated pixels
  std::span<const std::byte> value;
};

/// The elements of one level, sorted by tag; the bytes must outlive it. Every length is checked against what is there, nesting against a
/// limit of 16. Throws Error(format), naming the tag, for what is cut short, and for anything that is no data set.
class DicomDataset {
 public:
  DicomDataset() = default;
  /// Parses `bytes` to their end, or to the pixel data, which come as the last element: with a declared length cut at the end of the bytes
  /// (pixels_cut() tells), with an undefined one as all the bytes that follow.
  DicomDataset(std::span<const std::byte> bytes, DicomEncoding encoding, int depth = 0);

  const DicomElement* find(DicomTag tag) const;
  bool contains(DicomTag tag) const { return find(tag) != nullptr; }
  /// Without padding; "" if the element is not there. Values of text longer than 64 KiB are cut.
  std::string text(DicomTag tag) const;
  /// The parts of a text between backslashes, without blanks around them.
  std::vector<std::string> texts(DicomTag tag) const;
  /// Numbers of any VR, text (DS, IS) or binary, all finite; empty if the element is not there. Throws Error(format), naming the tag, otherwise.
  std::vector<double> numbers(DicomTag tag) const;
  std::optional<double> number(DicomTag tag) const;  ///< the first of them
  /// The only value of an integer element, "" and missing give nothing. Throws Error(format) if it lies outside [low, high].
  std::optional<std::int64_t> integer(DicomTag tag, std::int64_t low, std::int64_t high) const;
  /// The items of a sequence; none if the element is not there. At most `most` are taken, Error(format) beyond.
  std::vector<DicomDataset> items(DicomTag tag, std::size_t most = 1 << 17) const;
  /// The first item of a sequence; an empty data set if there is none.
  DicomDataset first_item(DicomTag tag) const;

  const DicomEncoding& encoding() const { return encoding_; }
  const std::vector<DicomElement>& elements() const { return elements_; }
  std::uint64_t pixels_cut() const { return pixels_cut_; }  ///< bytes that the pixel data declare beyond the end

 private:
  std::vector<DicomElement> elements_;
  DicomEncoding encoding_;
  int depth_ = 0;
  std::uint64_t pixels_cut_ = 0;
};

/// The fragments of encapsulated pixel data, the offset table first, of bytes that begin with its item. Throws Error(format).
std::vector<std::span<const std::byte>> dicom_fragments(std::span<const std::byte> bytes);

}  // namespace vesal::image
