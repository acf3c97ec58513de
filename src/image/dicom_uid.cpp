#include "image/dicom_uid.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

#include "base/sha256.h"

namespace vesal::image {
namespace {

/// 2.25. and the decimal form of 128 bits, most significant byte first.
std::string uid_of_bits(std::array<std::uint8_t, 16> bytes) {
  std::string digits;
  while (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b != 0; })) {
    unsigned rest = 0;
    for (std::uint8_t& b : bytes) {
      const unsigned value = rest << 8 | b;
      b = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    digits.push_back(static_cast<char>('0' + rest));
  }
  std::reverse(digits.begin(), digits.end());
  return "2.25." + (digits.empty() ? "0" : digits);
}

/// Version and variant of a UUID (RFC 4122), as viewers that look into the number expect them.
std::string uid_of_uuid(std::array<std::uint8_t, 16> bytes, std::uint8_t version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | version << 4);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return uid_of_bits(bytes);
}

}  // namespace

std::string new_uid() {
  std::random_device random;
  std::array<std::uint8_t, 16> bytes;
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  return uid_of_uuid(bytes, 4);
}

std::string uid_of(std::string_view text) {
  const std::string hex = sha256(text);
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  return uid_of_uuid(bytes, 5);
}

bool is_uid(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '.') {
      if (text[i] < '0' || text[i] > '9') return false;
      continue;
    }
    if (i == begin || (i > begin + 1 && text[begin] == '0')) return false;
    begin = i + 1;
  }
  return true;
}

}  // namespace vesal::image
