#include "dicom/command_watch.h"

#include <algorithm>

namespace vesal::dicom {
namespace {

constexpr std::uint32_t kLongest = 64 << 10;  ///< of an element; the longest real ones are error comments of 64 characters
constexpr std::uint8_t kData = 4;             ///< type of a P-DATA-TF PDU
constexpr std::size_t kPduHead = 6, kPdvHead = 6, kElementHead = 8;

std::uint32_t big_endian(const std::uint8_t* b) {
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 | static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

}  // namespace

bool CommandWatch::pass(const std::uint8_t* bytes, std::size_t count) {
  while (count > 0) {
    std::size_t used = 1;
    if (pdu_left_ == 0) {
      if (!frame(*bytes)) return false;
    } else if (data_ && pdv_left_ == 0) {
      if (!pdv(*bytes)) return false;
    } else {
      used = static_cast<std::size_t>(std::min<std::uint64_t>(count, data_ ? pdv_left_ : pdu_left_));
      if (data_ && command_ && !command(bytes, used)) return false;
      if (data_) pdv_left_ -= used;
      pdu_left_ -= used;
      if (data_ && command_ && last_ && pdv_left_ == 0) element_size_ = element_left_ = 0;
    }
    bytes += used;
    count -= used;
  }
  return true;
}

bool CommandWatch::frame(std::uint8_t byte) {
  head_[head_size_++] = byte;
  if (head_size_ < kPduHead) return true;
  head_size_ = 0;
  data_ = head_[0] == kData;
  pdu_left_ = big_endian(&head_[2]);
  return true;
}

bool CommandWatch::pdv(std::uint8_t byte) {
  head_[head_size_++] = byte;
  --pdu_left_;
  if (head_size_ < kPdvHead) return pdu_left_ > 0;
  head_size_ = 0;
  const std::uint32_t length = big_endian(&head_[0]);  // with the two bytes after it
  if (length < 2 || length - 2 > pdu_left_) return false;
  pdv_left_ = length - 2;
  command_ = (head_[5] & 1) != 0;
  last_ = (head_[5] & 2) != 0;
  return true;
}

bool CommandWatch::command(const std::uint8_t* bytes, std::size_t count) {
  while (count > 0) {
    std::size_t used = 1;
    if (element_left_ > 0) {
      used = static_cast<std::size_t>(std::min<std::uint64_t>(count, element_left_));
      element_left_ -= used;
    } else {
      element_[element_size_++] = *bytes;
      if (element_size_ == kElementHead) {
        element_size_ = 0;
        const std::uint32_t length = static_cast<std::uint32_t>(element_[7]) << 24 | static_cast<std::uint32_t>(element_[6]) << 16 |
                                     static_cast<std::uint32_t>(element_[5]) << 8 | element_[4];
        if (element_[0] != 0 || element_[1] != 0 || length > kLongest) return false;
        element_left_ = length;
      }
    }
    bytes += used;
    count -= used;
  }
  return true;
}

}  // namespace vesal::dicom
