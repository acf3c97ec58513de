#include "dicom/command_watch.h"

#include <gtest/gtest.h>

#include <string>

namespace vesal::dicom {
namespace {

std::string big(std::size_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
  return out;
}
std::string little(std::size_t n) {
  const std::string b = big(n);
  return {b.rbegin(), b.rend()};
}
std::string element(const std::string& tag, const std::string& value) { return tag + little(value.size()) + value; }
std::string pdv(char flags, const std::string& bytes) { return big(bytes.size() + 2) + '\x01' + flags + bytes; }
std::string pdu(char type, const std::string& bytes) { return std::string{type, '\0'} + big(bytes.size()) + bytes; }

bool passes(const std::string& stream, std::size_t piece) {
  CommandWatch watch;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const std::string part = stream.substr(at, piece);
    if (!watch.pass(reinterpret_cast<const std::uint8_t*>(part.data()), part.size())) return false;
  }
  return true;
}
void expect(bool good, const std::string& stream) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{6}, std::size_t{100}, stream.size()})
    EXPECT_EQ(passes(stream, piece), good) << piece;
}

const std::string kTag("\0\0\0\1", 4), kOther("\x08\0\x40\x11", 4);
const std::string kDeep = kOther + std::string("\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff", 12);
constexpr char kCommand = 1, kLastCommand = 3, kDataSet = 0, kLastDataSet = 2;

TEST(CommandWatch, PassesWhatAssociationsAreMadeOf) {
  const std::string one = element(kTag, "12") + element(kTag, "") + element(kTag, std::string(300, 'x'));
  expect(true, pdu(1, std::string(5000, '\xff')) + pdu(4, pdv(kLastCommand, one)) + pdu(4, pdv(kDataSet, kDeep) + pdv(kLastDataSet, kDeep)) +
                   pdu(4, pdv(kCommand, one.substr(0, 5)) + pdv(kLastCommand, one.substr(5))) + pdu(5, std::string(4, '\0')));
  expect(true, pdu(4, pdv(kCommand, one.substr(0, 50))) + pdu(4, pdv(kLastCommand, one.substr(50)) + pdv(kLastDataSet, kDeep)));
}

TEST(CommandWatch, StopsAtWhatIsNoCommand) {
  const std::string one = element(kTag, "12");
  expect(false, pdu(4, pdv(kLastCommand, kDeep)));
  expect(false, pdu(4, pdv(kLastCommand, one + element(kOther, "12"))));
  expect(false, pdu(4, pdv(kLastCommand, kTag + little(0xffffffff) + "xx")));
  expect(false, pdu(4, pdv(kCommand, one.substr(0, 7))) + pdu(4, pdv(kLastCommand, one.substr(7) + kDeep)));
  expect(false, pdu(4, pdv(kLastCommand, one)) + pdu(4, pdv(kLastCommand, one + kDeep)));
}

TEST(CommandWatch, StopsAtWhatIsNoFrame) {
  expect(false, pdu(4, big(100) + "xx" + "too short"));
  expect(false, pdu(4, big(1) + "xx" + "xx"));
  expect(false, pdu(4, "\1\1\1"));
}

}  // namespace
}  // namespace vesal::dicom
