#include "image/dicom_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "image/dicom_bytes.h"

namespace vesal::image {
namespace {

constexpr DicomTag kItem = 0xfffee000, kItemEnd = 0xfffee00d, kSequenceEnd = 0xfffee0dd;
constexpr std::uint32_t kUndefined = 0xffffffff;
constexpr int kDeepest = 16;
constexpr std::size_t kMostElements = 1 << 16;

constexpr std::uint16_t vr(const char (&name)[3]) { return static_cast<std::uint16_t>(name[0] << 8 | name[1]); }

/// VRs whose length has four bytes; UN and those since 2013 among them.
bool has_long_length(std::uint16_t v) {
  constexpr std::uint16_t kLong[] = {vr("OB"), vr("OD"), vr("OF"), vr("OL"), vr("OV"), vr("OW"), vr("SQ"),
                                     vr("SV"), vr("UC"), vr("UN"), vr("UR"), vr("UT"), vr("UV")};
  return std::find(std::begin(kLong), std::end(kLong), v) != std::end(kLong);
}

struct Header {
  DicomTag tag = 0;
  std::uint16_t vr = 0;
  std::uint32_t length = 0;
  std::size_t value = 0;  ///< where it begins
};

/// Elements one after the other at checked places.
class Walk {
 public:
  Walk(std::span<const std::byte> bytes, DicomEncoding encoding) : in_{bytes, encoding.big_endian}, encoding_(encoding) {}

  bool done(std::size_t at) const { return at >= in_.bytes.size(); }
  std::span<const std::byte> part(std::size_t at, std::size_t size) const { return in_.bytes.subspan(at, size); }
  std::size_t left(std::size_t at) const { return in_.bytes.size() - at; }

  Header header(std::size_t at) const {
    Header h;
    h.tag = static_cast<DicomTag>(in_.u16(at)) << 16 | in_.u16(at + 2);
    h.value = at + 8;
    if (h.tag >> 16 == 0xfffe || !encoding_.explicit_vr) {
      h.length = in_.u32(at + 4);
      return h;
    }
    const auto first = static_cast<unsigned char>(in_.u8(at + 4)), second = static_cast<unsigned char>(in_.u8(at + 5));
    if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z')
      throw Error(ErrorKind::format, fmt::format("element {} at byte {}: no value representation follows its tag", to_text(h.tag), at));
    h.vr = static_cast<std::uint16_t>(first << 8 | second);
    if (has_long_length(h.vr)) {
      h.length = in_.u32(at + 8);
      h.value = at + 12;
    } else {
      h.length = in_.u16(at + 6);
    }
    return h;
  }

  /// Where the value ends; for an undefined length, its delimiter not included, and `next` past it.
  std::size_t end_of(const Header& h, std::size_t& next, int depth) const {
    if (h.length != kUndefined) {
      if (h.value > in_.bytes.size() || h.length > left(h.value))
        throw Error(ErrorKind::format, fmt::format("cut short: element {} declares {} bytes, {} are there", to_text(h.tag), h.length,
                                                   h.value > in_.bytes.size() ? 0 : left(h.value)));
      return next = h.value + h.length;
    }
    // An unknown sequence is written implicitly, whatever the file has (PS3.5, 6.2.2).
    if (h.vr == vr("UN") && encoding_.explicit_vr)
      return Walk(in_.bytes, {.explicit_vr = false}).end_of({h.tag, 0, kUndefined, h.value}, next, depth);
    return end_of_items(h, next, depth);
  }

 private:
  std::size_t end_of_items(const Header& sequence, std::size_t& next, int depth) const {
    check_depth(sequence.tag, depth);
    std::size_t at = sequence.value;
    for (;;) {
      const Header item = header(at);
      if (item.tag == kSequenceEnd) {
        next = item.value;
        return at;
      }
      if (item.tag != kItem)
        throw Error(ErrorKind::format, fmt::format("sequence {}: {} where an item should begin", to_text(sequence.tag), to_text(item.tag)));
      if (item.length == kUndefined) end_of_item(item, at, depth + 1);
      else end_of(item, at, depth + 1);
    }
  }

 public:
  /// The same of an item without a declared length.
  std::size_t end_of_item(const Header& item, std::size_t& next, int depth) const {
    std::size_t at = item.value;
    for (;;) {
      const Header h = header(at);
      if (h.tag == kItemEnd) {
        next = h.value;
        return at;
      }
      end_of(h, at, depth);
    }
  }

  static void check_depth(DicomTag tag, int depth) {
    if (depth >= kDeepest) throw Error(ErrorKind::format, fmt::format("sequence {}: nested deeper than {} levels", to_text(tag), kDeepest));
  }

 private:
  DicomBytesReader in_;
  DicomEncoding encoding_;
};

}  // namespace

std::string to_text(DicomTag tag) { return fmt::format("({:04X},{:04X})", tag >> 16, tag & 0xffff); }

DicomDataset::DicomDataset(std::span<const std::byte> bytes, DicomEncoding encoding, int depth) : encoding_(encoding), depth_(depth) {
  const Walk walk(bytes, encoding);
  for (std::size_t at = 0; !walk.done(at);) {
    // Trailing zeros pad some files to whole blocks.
    if (walk.left(at) < 8 && depth == 0) break;
    const Header h = walk.header(at);
    if (h.tag >> 16 == 0xfffe) throw Error(ErrorKind::format, fmt::format("a delimiter {} outside of any sequence, at byte {}", to_text(h.tag), at));
    if (elements_.size() >= kMostElements) throw Error(ErrorKind::format, fmt::format("more than {} elements on one level", kMostElements));
    DicomElement e{h.tag, h.vr, h.length == kUndefined, {}};
    if (h.tag == kPixelData && depth == 0) {
      const std::size_t there = h.value > bytes.size() ? 0 : walk.left(h.value);
      if (!e.undefined && h.length > there) pixels_cut_ = h.length - there;
      e.value = walk.part(bytes.size() - there, e.undefined ? there : std::min<std::size_t>(there, h.length));
      elements_.push_back(e);
      break;
    }
    std::size_t next = 0;
    e.value = walk.part(h.value, walk.end_of(h, next, depth) - h.value);
    elements_.push_back(e);
    at = next;
  }
  std::stable_sort(elements_.begin(), elements_.end(), [](const auto& a, const auto& b) { return a.tag < b.tag; });
}

const DicomElement* DicomDataset::find(DicomTag tag) const {
  const auto it = std::lower_bound(elements_.begin(), elements_.end(), tag, [](const auto& e, DicomTag t) { return e.tag < t; });
  return it != elements_.end() && it->tag == tag ? &*it : nullptr;
}

std::vector<DicomDataset> DicomDataset::items(DicomTag tag, std::size_t most) const {
  std::vector<DicomDataset> out;
  const DicomElement* e = find(tag);
  if (!e) return out;
  Walk::check_depth(tag, depth_);
  const DicomEncoding inside{encoding_.explicit_vr && e->vr != vr("UN"), encoding_.big_endian};
  const Walk walk(e->value, inside);
  for (std::size_t at = 0; !walk.done(at);) {
    const Header item = walk.header(at);
    if (item.tag != kItem) throw Error(ErrorKind::format, fmt::format("sequence {}: {} where an item should begin", to_text(tag), to_text(item.tag)));
    if (out.size() >= most) throw Error(ErrorKind::format, fmt::format("sequence {}: more than {} items", to_text(tag), most));
    const std::size_t end = item.length == kUndefined ? walk.end_of_item(item, at, depth_ + 1) : walk.end_of(item, at, depth_ + 1);
    out.emplace_back(walk.part(item.value, end - item.value), inside, depth_ + 1);
  }
  return out;
}

DicomDataset DicomDataset::first_item(DicomTag tag) const {
  auto all = items(tag);
  return all.empty() ? DicomDataset() : std::move(all.front());
}

std::vector<std::span<const std::byte>> dicom_fragments(std::span<const std::byte> bytes) {
  std::vector<std::span<const std::byte>> out;
  const Walk walk(bytes, {.explicit_vr = false});
  for (std::size_t at = 0;;) {
    if (walk.done(at)) throw Error(ErrorKind::format, "cut short: the compressed pixels have no end");
    const Header item = walk.header(at);
    if (item.tag == kSequenceEnd) return out;
    if (item.tag != kItem || item.length == kUndefined)
      throw Error(ErrorKind::format, "compressed pixels: " + to_text(item.tag) + " where a fragment should begin");
    out.push_back(walk.part(item.value, walk.end_of(item, at, 0) - item.value));
  }
}

}  // namespace vesal::image
