// The values of a data set's elements: text, numbers in text, binary numbers.
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "image/dicom_bytes.h"
#include "image/dicom_dataset.h"

namespace vesal::image {
namespace {

constexpr std::size_t kLongestText = 1 << 16;

constexpr std::uint16_t vr(const char (&name)[3]) { return static_cast<std::uint16_t>(name[0] << 8 | name[1]); }

/// What implicit VR leaves out (PS3.6), of the elements whose numbers are binary; all others that are asked for are text.
std::uint16_t vr_of(const DicomElement& e) {
  if (e.vr != 0 && e.vr != vr("UN")) return e.vr;
  switch (e.tag) {
    case 0x00280002:  // samples per pixel
    case 0x00280006:  // planar configuration
    case 0x00280010:  // rows
    case 0x00280011:  // columns
    case 0x00280100:  // bits allocated
    case 0x00280101:  // bits stored
    case 0x00280102:  // high bit
    case 0x00280103:  // pixel representation
    case 0x00280120:  // pixel padding value
    case 0x00280121:  // pixel padding range limit
      return vr("US");
    case 0x00189082:  // effective echo time
    case 0x00189087:  // diffusion b value
      return vr("FD");
    case 0x00209057:  // in-stack position
    case 0x00209128:  // temporal position index
    case 0x00041200:  // offset of the root directory
      return vr("UL");
    default: return vr("DS");
  }
}

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\0' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  std::size_t begin = 0;
  while (begin < text.size() && blank(text[begin])) ++begin;
  return text.substr(begin);
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (std::size_t begin = 0;;) {
    const auto end = text.find('\\', begin);
    out.push_back(trimmed(text.substr(begin, end == std::string::npos ? end : end - begin)));
    if (end == std::string::npos) return out;
    begin = end + 1;
  }
}

template <class T, class F>
std::vector<double> binary(std::size_t size, F&& read) {
  std::vector<double> out;
  for (std::size_t at = 0; at + sizeof(T) <= size && out.size() < kLongestText; at += sizeof(T)) {
    const auto bits = read(at);
    T value;
    static_assert(sizeof(bits) == sizeof(T));
    std::memcpy(&value, &bits, sizeof(T));
    out.push_back(static_cast<double>(value));
  }
  return out;
}

}  // namespace

std::string DicomDataset::text(DicomTag tag) const {
  const DicomElement* e = find(tag);
  if (!e) return "";
  return trimmed(std::string(reinterpret_cast<const char*>(e->value.data()), std::min(e->value.size(), kLongestText)));
}

std::vector<std::string> DicomDataset::texts(DicomTag tag) const { return parts_of(text(tag)); }

std::vector<double> DicomDataset::numbers(DicomTag tag) const {
  const DicomElement* e = find(tag);
  if (!e) return {};
  const DicomBytesReader in{e->value, encoding_.big_endian};
  const auto two = [&](std::size_t at) { return in.u16(at); };
  const auto four = [&](std::size_t at) { return in.u32(at); };
  const auto eight = [&](std::size_t at) { return in.u64(at); };
  const std::size_t size = e->value.size();
  std::vector<double> out;
  switch (vr_of(*e)) {
    case vr("US"): out = binary<std::uint16_t>(size, two); break;
    case vr("SS"): out = binary<std::int16_t>(size, two); break;
    case vr("UL"): out = binary<std::uint32_t>(size, four); break;
    case vr("SL"): out = binary<std::int32_t>(size, four); break;
    case vr("FL"): out = binary<float>(size, four); break;
    case vr("FD"): out = binary<double>(size, eight); break;
    default:
      for (const std::string& part : texts(tag)) {
        char* end = nullptr;
        const double value = std::strtod(part.c_str(), &end);
        if (part.empty() || *end != '\0') {
          if (part.empty()) continue;
          throw Error(ErrorKind::format, "element " + to_text(tag) + ": '" + part.substr(0, 32) + "' is no number");
        }
        out.push_back(value);
      }
  }
  for (const double v : out)
    if (!std::isfinite(v)) throw Error(ErrorKind::format, "element " + to_text(tag) + ": a number that is not finite");
  return out;
}

std::optional<double> DicomDataset::number(DicomTag tag) const {
  const auto all = numbers(tag);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::optional<std::int64_t> DicomDataset::integer(DicomTag tag, std::int64_t low, std::int64_t high) const {
  const auto value = number(tag);
  if (!value) return std::nullopt;
  if (*value < static_cast<double>(low) || *value > static_cast<double>(high) || *value != std::floor(*value))
    throw Error(ErrorKind::format,
                "element " + to_text(tag) + " is " + std::to_string(*value) + ", want " + std::to_string(low) + " to " + std::to_string(high));
  return static_cast<std::int64_t>(*value);
}

}  // namespace vesal::image
