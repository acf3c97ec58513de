// Data sets byte by byte: what writers of today do not write but archives hold.
#include "image/dicom_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "image/dicom_study.h"

namespace vesal::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Bytes of a data set, put together by hand.
class Bytes {
 public:
  explicit Bytes(bool big_endian = false) : big_(big_endian) {}
  Bytes& u16(unsigned v) { return big_ ? raw(v >> 8, v) : raw(v, v >> 8); }
  Bytes& u32(unsigned v) { return big_ ? u16(v >> 16).u16(v & 0xffff) : u16(v & 0xffff).u16(v >> 16); }
  Bytes& tag(DicomTag t) { return u16(t >> 16).u16(t & 0xffff); }
  Bytes& text(const std::string& s) {
    for (const char c : s) bytes_.push_back(static_cast<std::byte>(c));
    return *this;
  }
  Bytes& add(DicomTag t, const char* vr, const std::string& value) { return tag(t).text(vr).u16(static_cast<unsigned>(value.size())).text(value); }
  Bytes& add_implicit(DicomTag t, const std::string& value) { return tag(t).u32(static_cast<unsigned>(value.size())).text(value); }
  std::span<const std::byte> span() const { return bytes_; }

 private:
  Bytes& raw(unsigned a, unsigned b) {
    bytes_.push_back(static_cast<std::byte>(a));
    bytes_.push_back(static_cast<std::byte>(b));
    return *this;
  }
  bool big_;
  std::vector<std::byte> bytes_;
};

TEST(DicomDataset, ReadsNumbersOfEveryKind) {
  Bytes b;
  b.add(0x00200032, "DS", " -1.5\\+2e1\\3 ").add(0x00280010, "US", std::string("\x00\x02", 2)).add(0x00280106, "SS", "\xfe\xff");
  b.tag(0x00189087).text("FD").u16(8).u32(0).u32(0x40590000);
  const DicomDataset d(b.span(), {});
  EXPECT_THAT(d.numbers(0x00200032), ElementsAre(-1.5, 20, 3));
  EXPECT_EQ(d.integer(0x00280010, 1, 65535), 512);
  EXPECT_EQ(d.number(0x00280106), -2);
  EXPECT_EQ(d.number(0x00189087), 100);
  EXPECT_EQ(d.number(0x00100010), std::nullopt);
  EXPECT_THROW(d.integer(0x00280010, 1, 100), Error);
}

TEST(DicomDataset, KnowsTheKindsThatImplicitVrLeavesOut) {
  Bytes b;
  b.add_implicit(0x00280010, std::string("\x00\x02", 2)).add_implicit(0x00280030, "0.5\\0.25");
  const DicomDataset d(b.span(), {.explicit_vr = false});
  EXPECT_EQ(d.number(0x00280010), 512);
  EXPECT_THAT(d.numbers(0x00280030), ElementsAre(0.5, 0.25));
}

TEST(DicomDataset, ReadsBigEndian) {
  Bytes b(true);
  b.tag(0x00280010).text("US").u16(2).u16(512);
  EXPECT_EQ(DicomDataset(b.span(), {.big_endian = true}).number(0x00280010), 512);
}

TEST(DicomDataset, SequencesOfEitherLength) {
  for (const bool declared : {true, false}) {
    Bytes b;
    b.tag(0x00081140).text("SQ").u16(0).u32(declared ? 2 * (8 + 12) : 0xffffffff);
    for (int i = 0; i < 2; ++i) {
      b.tag(0xfffee000).u32(declared ? 12 : 0xffffffff).add(0x00080060, "CS", i == 0 ? "CT  " : "MR  ");
      if (!declared) b.tag(0xfffee00d).u32(0);
    }
    if (!declared) b.tag(0xfffee0dd).u32(0);
    b.add(0x00100020, "LO", "id");
    const DicomDataset d(b.span(), {});
    const auto items = d.items(0x00081140);
    ASSERT_EQ(items.size(), 2u) << declared;
    EXPECT_EQ(items[0].text(0x00080060), "CT");
    EXPECT_EQ(items[1].text(0x00080060), "MR");
    EXPECT_EQ(d.text(0x00100020), "id");
    EXPECT_THROW(d.items(0x00081140, 1), Error);
  }
}

/// A sequence that a gateway did not know: UN, undefined length, implicit inside (PS3.5, 6.2.2).
TEST(DicomDataset, UnknownSequencesAreImplicitInside) {
  Bytes b;
  b.tag(0x00091010).text("UN").u16(0).u32(0xffffffff).tag(0xfffee000).u32(0xffffffff).add_implicit(0x00080060, "CT").tag(0xfffee00d).u32(0);
  b.tag(0xfffee0dd).u32(0).add(0x00100020, "LO", "id");
  const DicomDataset d(b.span(), {});
  EXPECT_EQ(d.first_item(0x00091010).text(0x00080060), "CT");
  EXPECT_EQ(d.text(0x00100020), "id");
}

TEST(DicomDataset, StopsAtThePixels) {
  Bytes b;
  b.add(0x00080060, "CS", "CT").tag(kPixelData).text("OW").u16(0).u32(100).text("only these");
  const DicomDataset d(b.span(), {});
  EXPECT_EQ(d.pixels_cut(), 90u);
  EXPECT_EQ(d.find(kPixelData)->value.size(), 10u);
}

TEST(DicomDataset, SaysWhatIsWrong) {
  const auto message = [](const Bytes& b) -> std::string {
    try {
      DicomDataset(b.span(), {});
    } catch (const Error& e) { return e.what(); }
    return "";
  };
  EXPECT_THAT(message(Bytes().tag(0x00080060).text("CS").u16(40).text("CT")), HasSubstr("(0008,0060) declares 40 bytes, 2 are there"));
  EXPECT_THAT(message(Bytes().tag(0x00080060).text("\x01\x02").u16(40).text("CT")), HasSubstr("no value representation"));
  EXPECT_THAT(message(Bytes().tag(0xfffee0dd).u32(0)), HasSubstr("outside of any sequence"));
}

TEST(DicomText, BecomesUtf8) {
  EXPECT_EQ(to_utf8("M\xfcller", {"ISO_IR 100"}), "M\xc3\xbcller");
  EXPECT_EQ(to_utf8("Nguy\xe1\xbb\x85n", {"ISO_IR 192"}), "Nguy\xe1\xbb\x85n");
  EXPECT_EQ(to_utf8("\xd0\xa1", {"GB18030"}), "\xe5\xb0\x8f");
  EXPECT_EQ(to_utf8("M\xfcller", {}), "M?ller");
  EXPECT_EQ(to_utf8("a\x1b[31mb", {}), "a?[31mb");  // no control codes for terminals
}

}  // namespace
}  // namespace vesal::image
