// Looks at the bytes of an association before DCMTK does: a command set holds short elements of group 0000 and nothing else.
//
// DCMTK 3.6.7 parses commands as it parses data sets, calling itself for each sequence in a sequence; some thousand of them, which fit into one PDU,
// overflow the stack.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace vesal::dicom {

/// Follows the frames of PS3.8 (PDU, PDV) and the elements of commands (PS3.7 6.3.1, implicit VR little endian). Takes the bytes in any pieces and
/// keeps none. Of one thread.
class CommandWatch {
 public:
  /// False as soon as something is no command or no frame; then the connection is of no use any more.
  bool pass(const std::uint8_t* bytes, std::size_t count);

 private:
  bool frame(std::uint8_t byte);
  bool pdv(std::uint8_t byte);
  bool command(const std::uint8_t* bytes, std::size_t count);
  std::array<std::uint8_t, 8> head_{}, element_{};
  std::size_t head_size_ = 0, element_size_ = 0;
  std::uint64_t pdu_left_ = 0, pdv_left_ = 0, element_left_ = 0;
  bool data_ = false, command_ = false, last_ = false;
};

}  // namespace vesal::dicom
