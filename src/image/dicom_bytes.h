// Numbers of either byte order at checked places of a DICOM file.
#pragma once
#include <cstring>
#include <span>

#include "base/error.h"

namespace vesal::image {

struct DicomBytesReader {
  std::span<const std::byte> bytes;
  bool big_endian = false;

  std::uint8_t u8(std::size_t at) const { return get<std::uint8_t>(at); }
  std::uint16_t u16(std::size_t at) const {
    const auto v = get<std::uint16_t>(at);
    return big_endian ? __builtin_bswap16(v) : v;
  }
  std::uint32_t u32(std::size_t at) const {
    const auto v = get<std::uint32_t>(at);
    return big_endian ? __builtin_bswap32(v) : v;
  }
  std::uint64_t u64(std::size_t at) const {
    const auto v = get<std::uint64_t>(at);
    return big_endian ? __builtin_bswap64(v) : v;
  }

 private:
  template <class T>
  T get(std::size_t at) const {
    if (at > bytes.size() || bytes.size() - at < sizeof(T)) throw Error(ErrorKind::format, "cut short at byte " + std::to_string(bytes.size()));
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
  }
};

}  // namespace vesal::image
