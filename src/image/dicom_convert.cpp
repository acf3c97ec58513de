#include "image/dicom_convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace vesal::image {
namespace {

template <class Word>
Word swapped(Word w) {
  if constexpr (sizeof(Word) == 2) return __builtin_bswap16(w);
  else if constexpr (sizeof(Word) == 4) return __builtin_bswap32(w);
  else return w;
}

/// The stored value within a word (PS3.5, 8.1.1): `stored` bits below `high_bit`, the rest may be anything.
template <class Word>
struct Unpack {
  int down;
  std::int64_t mask, sign;
  bool swap;
  Unpack(const DicomPixelFormat& f, bool swap)
      : down(f.high_bit + 1 - f.stored),
        mask((std::int64_t{1} << f.stored) - 1),
        sign(f.is_signed ? std::int64_t{1} << (f.stored - 1) : 0),
        swap(swap) {}
  std::int64_t operator()(const std::byte* at) const {
    Word w;
    std::memcpy(&w, at, sizeof w);
    if (swap) w = swapped(w);
    const std::int64_t v = (static_cast<std::int64_t>(w) >> down) & mask;
    return (v ^ sign) - sign;
  }
};

constexpr std::int32_t kLow = std::numeric_limits<std::int16_t>::min(), kHigh = std::numeric_limits<std::int16_t>::max();

/// The usual case: words of 16 bits that are used whole or from the bottom, only an intercept; the compiler makes vectors of it.
template <bool kSigned>
bool add_intercept(const std::byte* in, std::int64_t count, int bits, std::int32_t intercept, std::int16_t* out) {
  const int up = 16 - bits;
  std::int32_t low = 0, high = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint16_t w;
    std::memcpy(&w, in + 2 * i, 2);
    w = static_cast<std::uint16_t>(w << up);
    const std::int32_t v = (kSigned ? static_cast<std::int16_t>(w) >> up : w >> up) + intercept;
    low = std::min(low, v);
    high = std::max(high, v);
    out[i] = static_cast<std::int16_t>(v);
  }
  return low >= kLow && high <= kHigh;
}

template <class Word, class Out>
bool convert(const DicomPixels::Frame& frame, const DicomPixelFormat& f, const DicomConversion& how, Out* out) {
  const Unpack<Word> unpack(f, frame.swapped);
  const std::int64_t count = f.rows * f.columns;
  const auto [least, largest] = stored_range(f);
  bool fits = true;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t stored = unpack(frame.bytes.data() + static_cast<std::size_t>(i) * sizeof(Word));
    double v = how.air;
    if (!how.padding || stored < how.padding->first || stored > how.padding->second) {
      if (how.inverted) stored = least + largest - stored;
      v = static_cast<double>(stored) * how.slope + how.intercept;
    }
    if constexpr (std::is_same_v<Out, std::int16_t>) {
      fits &= v >= kLow && v <= kHigh;
      out[i] = static_cast<std::int16_t>(std::clamp<double>(v, kLow, kHigh));
    } else {
      out[i] = static_cast<float>(v);
    }
  }
  return fits;
}

template <class Out>
bool by_width(const DicomPixels::Frame& frame, const DicomPixelFormat& f, const DicomConversion& how, Out* out) {
  switch (f.allocated) {
    case 8: return convert<std::uint8_t>(frame, f, how, out);
    case 16: return convert<std::uint16_t>(frame, f, how, out);
    default: return convert<std::uint32_t>(frame, f, how, out);
  }
}

}  // namespace

bool DicomConversion::whole() const { return slope == std::floor(slope) && intercept == std::floor(intercept); }

std::pair<std::int64_t, std::int64_t> stored_range(const DicomPixelFormat& f) {
  const std::int64_t all = std::int64_t{1} << f.stored;
  return f.is_signed ? std::pair(-all / 2, all / 2 - 1) : std::pair(std::int64_t{0}, all - 1);
}

bool convert_frame(const DicomPixels::Frame& frame, const DicomPixelFormat& f, const DicomConversion& how, std::int16_t* out) {
  const bool plain = f.allocated == 16 && f.high_bit == f.stored - 1 && !frame.swapped && !how.padding && !how.inverted && how.slope == 1 &&
                     how.whole() && std::fabs(how.intercept) < 1e6;
  if (!plain) return by_width(frame, f, how, out);
  const auto intercept = static_cast<std::int32_t>(how.intercept);
  const std::int64_t count = f.rows * f.columns;
  return f.is_signed ? add_intercept<true>(frame.bytes.data(), count, f.stored, intercept, out)
                     : add_intercept<false>(frame.bytes.data(), count, f.stored, intercept, out);
}

void convert_frame(const DicomPixels::Frame& frame, const DicomPixelFormat& f, const DicomConversion& how, float* out) {
  by_width(frame, f, how, out);
}

}  // namespace vesal::image
