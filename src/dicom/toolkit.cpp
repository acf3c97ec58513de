#include "dicom/toolkit.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

#include "base/sha256.h"

namespace vesal::dicom {
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

void start_toolkit() {
  static const bool started = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    return dcmDataDict.isDictionaryLoaded() == OFTrue;
  }();
  if (!started) throw Error(ErrorKind::unsupported, "DCMTK finds no data dictionary; set DCMDICTPATH to its dicom.dic (Debian: package libdcmtk17)");
}

void check(const OFCondition& condition, std::string_view what, ErrorKind kind) {
  if (condition.bad()) throw Error(kind, std::string(what) + ": " + condition.text());
}

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

std::string text_of(const DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  const_cast<DcmItem&>(item).findAndGetOFString(tag, value);  // reading loads the value late and is not const
  std::string text(value.c_str(), value.size());
  const std::size_t end = text.find_last_not_of(std::string_view(" \0", 2));
  text.erase(end == std::string::npos ? 0 : end + 1);
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin);
}

}  // namespace vesal::dicom
