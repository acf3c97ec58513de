// Damaged and malicious DICOM files and archives: refused with an Error, in bounded time and memory, and nothing is written anywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "base/memory.h"
#include "base/zip_archive.h"
#include "dicom_writer.h"
#include "image/dicom_select.h"
#include "paths.h"

namespace vesal::image {
namespace {

using gdcm::VR;
using ::testing::HasSubstr;
using tests::DataSet;
using tests::TempDir;
using tests::TransferSyntax;
using tests::write_dicom;

Image phantom(const Shape& shape = {18, 14, 4}) {
  Array a = Array::empty(shape, DType::i16);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<std::int16_t>()[i] = static_cast<std::int16_t>(i % 1000);
  return Image(a, Affine{{{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 2, 0}, {0, 0, 0, 1}}}});
}

std::string message_of(const std::filesystem::path& path) {
  try {
    read_image(path);
  } catch (const Error& e) { return e.what(); }
  return "read";
}

std::string bytes_of(const std::filesystem::path& path) { return read_text(path); }

/// An element in explicit VR with a four-byte length.
std::string element(std::uint16_t group, std::uint16_t number, const char* vr, std::uint32_t length) {
  std::string s(12, '\0');
  std::memcpy(s.data(), &group, 2);
  std::memcpy(s.data() + 2, &number, 2);
  std::memcpy(s.data() + 4, vr, 2);
  std::memcpy(s.data() + 8, &length, 4);
  return s;
}

TEST(DicomHostile, EveryPrefixOfAFileIsRefused) {
  const TempDir folder;
  for (const auto syntax :
       {TransferSyntax::ExplicitVRLittleEndian, TransferSyntax::JPEG2000Lossless, TransferSyntax::DeflatedExplicitVRLittleEndian}) {
    write_dicom(folder.path(), phantom({18, 14, 3}), {.syntax = syntax, .enhanced = true});
    const std::string whole = bytes_of(folder / "slice.dcm");
    for (std::size_t size = 0; size < whole.size() - 8; size += 1 + whole.size() / 400) {
      write_file(folder / "cut", whole.substr(0, size));
      EXPECT_NE(message_of(folder / "cut"), "read") << size << " of " << whole.size();
    }
  }
}

TEST(DicomHostile, SliceCutShortIsNamed) {
  const TempDir folder;
  write_dicom(folder.path(), phantom());
  const std::string whole = bytes_of(folder / "slice0004.dcm");
  write_file(folder / "slice0004.dcm", whole.substr(0, whole.size() - 100));
  const std::string why = message_of(folder.path());
  EXPECT_THAT(why, HasSubstr("slice0004.dcm: cut short: 100 bytes of its pixels are missing"));
}

TEST(DicomHostile, FewerPixelsThanDeclared) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.change = [](DataSet& d, std::int64_t) { tests::put_us(d, 0x00280010, 60000); }});
  EXPECT_THAT(message_of(folder.path()), HasSubstr("cut short: 1 frames of 18 x 60000 take 2160000 bytes, 504 are there"));
}

TEST(DicomHostile, CompressedPictureOfAnotherSize) {
  for (const auto syntax : {TransferSyntax::JPEG2000Lossless, TransferSyntax::JPEGLSLossless, TransferSyntax::JPEGLosslessProcess14_1}) {
    const TempDir folder;
    write_dicom(folder.path(), phantom(), {.syntax = syntax, .change = [](DataSet& d, std::int64_t) { tests::put_us(d, 0x00280011, 17); }});
    EXPECT_THAT(message_of(folder.path()), HasSubstr("the file declares 17 x 14"));
  }
}

TEST(DicomHostile, AbsurdDimensionsTakeNoMemory) {
  const std::uint64_t before = peak_memory();
  for (const bool enhanced : {false, true}) {
    const TempDir folder;
    write_dicom(folder.path(), phantom(), {.syntax = TransferSyntax::JPEG2000Lossless, .enhanced = enhanced, .change = [](DataSet& d, std::int64_t) {
                                             tests::put_us(d, 0x00280010, 65535);
                                             tests::put_us(d, 0x00280011, 65535);
                                           }});
    EXPECT_THAT(message_of(folder.path()), HasSubstr("bomb"));
  }
  EXPECT_LT(peak_memory(), before + (256u << 20));
}

TEST(DicomHostile, FramesThatAreNotThere) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.enhanced = true, .change = [](DataSet& d, std::int64_t) { tests::put(d, 0x00280008, VR::IS, "100000"); }});
  EXPECT_THAT(message_of(folder.path()), HasSubstr("100000 frames with 4 sets of functional groups"));
}

TEST(DicomHostile, DeepSequencesAreRefusedNotFollowed) {
  const TempDir folder;
  write_dicom(folder.path(), phantom({18, 14, 1}));
  std::string deep = bytes_of(folder / "slice0001.dcm");
  const auto pixels = deep.find(std::string("\xe0\x7f\x10\x00OW", 6));
  ASSERT_NE(pixels, std::string::npos);
  std::string nest;
  const std::string item("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  for (int i = 0; i < 100'000; ++i) nest += element(0x0040, 0x0275, "SQ", 0xffffffff) + item;
  deep.insert(pixels, nest);
  write_file(folder / "slice0001.dcm", deep);
  EXPECT_THAT(message_of(folder / "slice0001.dcm"), HasSubstr("nested deeper than"));
}

TEST(DicomHostile, LengthsBeyondTheFile) {
  const TempDir folder;
  write_dicom(folder.path(), phantom({18, 14, 1}));
  std::string file = bytes_of(folder / "slice0001.dcm");
  const auto pixels = file.find(std::string("\xe0\x7f\x10\x00OW", 6));
  file.insert(pixels, element(0x0040, 0x0275, "OB", 0xfffffff0));
  write_file(folder / "slice0001.dcm", file);
  EXPECT_THAT(message_of(folder / "slice0001.dcm"), HasSubstr("(0040,0275) declares 4294967280 bytes"));
}

TEST(DicomHostile, NumbersThatAreNone) {
  for (const char* text : {"nan\\0\\0", "1e999\\0\\0", "1e30\\0\\0", "x\\0\\0", "1\\2"}) {
    const TempDir folder;
    write_dicom(folder.path(), phantom(), {.change = [text](DataSet& d, std::int64_t z) {
                  if (z == 1) tests::put(d, 0x00200032, VR::DS, text);
                }});
    EXPECT_NE(message_of(folder.path()), "read") << text;
  }
}

TEST(DicomHostile, ZipsAreReadFromMemoryWhateverTheirNames) {
  const TempDir folder;
  write_dicom(folder.path() / "in", phantom());
  ZipWriter zip(folder / "study.zip");
  int i = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "in"))
    zip.add((i++ % 2 == 0 ? "../../escaped" : "/escaped") + entry.path().filename().string(), bytes_of(entry.path()));
  zip.finish();
  std::filesystem::create_directories(folder.path() / "cwd");
  const Image got = read_image(folder / "study.zip");
  EXPECT_EQ(got.shape(), (Shape{18, 14, 4}));
  EXPECT_EQ(got.array().at({3, 2, 1}), phantom().array().at({3, 2, 1}));
  EXPECT_TRUE(dicom_source_of(got)->slices()[0].file.in_archive());
  std::size_t there = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) there += entry.path().filename().string().starts_with("escaped");
  EXPECT_EQ(there, 0u);
}

TEST(DicomHostile, DamagedZipIsRefused) {
  const TempDir folder;
  write_dicom(folder.path() / "in", phantom());
  ZipWriter zip(folder / "study.zip");
  for (const auto& entry : std::filesystem::directory_iterator(folder / "in")) zip.add(entry.path().filename().string(), bytes_of(entry.path()));
  zip.finish();
  std::string bytes = bytes_of(folder / "study.zip");
  write_file(folder / "cut.zip", bytes.substr(0, bytes.size() / 2));
  EXPECT_NE(message_of(folder / "cut.zip"), "read");
  const auto pixels = bytes.find(std::string("\xe0\x7f\x10\x00OW", 6));
  bytes[pixels + 20] ^= 1;
  write_file(folder / "flipped.zip", bytes);
  EXPECT_NE(message_of(folder / "flipped.zip"), "read");
}

/// A DICOMDIR that lists `ids`, components between backslashes.
void write_dicomdir(const std::filesystem::path& path, const std::vector<std::string>& ids) {
  DataSet data;
  tests::put(data, 0x00080016, VR::UI, "1.2.840.10008.1.3.10");
  tests::put(data, 0x00080018, VR::UI, "2.25.5");
  std::vector<DataSet> records;
  for (const std::string& id : ids) {
    DataSet record;
    tests::put(record, 0x00041430, VR::CS, "IMAGE");
    tests::put(record, 0x00041500, VR::CS, id);
    records.push_back(record);
  }
  tests::put_items(data, 0x00041220, records);
  tests::write_file(path, data, {});
}

TEST(DicomHostile, DicomdirStaysBelowItsFolder) {
  const TempDir folder;
  write_dicom(folder.path() / "CD" / "IMAGES", phantom());
  write_dicom(folder.path() / "outside", phantom());
  write_dicomdir(folder.path() / "CD" / "DICOMDIR",
                 {"IMAGES\\slice0001.dcm", "IMAGES\\slice0002.dcm", "IMAGES\\slice0003.dcm", "IMAGES\\slice0004.dcm"});
  EXPECT_EQ(read_image(folder.path() / "CD" / "DICOMDIR").shape(), (Shape{18, 14, 4}));
  for (const char* id : {"..\\outside\\slice0001.dcm", "/etc/passwd", "IMAGES\\..\\..\\outside\\slice0001.dcm", "LINK\\slice0001.dcm"}) {
    std::error_code ignored;
    std::filesystem::create_directory_symlink(folder.path() / "outside", folder.path() / "CD" / "LINK", ignored);
    write_dicomdir(folder.path() / "CD" / "DICOMDIR", {id});
    try {
      read_dicom_study(folder.path() / "CD" / "DICOMDIR");
      ADD_FAILURE() << id;
    } catch (const Error& e) { EXPECT_EQ(e.kind(), ErrorKind::refused) << id << ": " << e.what(); }
  }
}

TEST(DicomHostile, LinksBetweenFoldersEnd) {
  const TempDir folder;
  write_dicom(folder.path() / "a", phantom());
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "a" / "loop");
  EXPECT_EQ(find_dicom_files(folder.path()).size(), 4u);
}

TEST(DicomRule, SaysWhatItTakes) {
  for (const char* bad : {"color=red", "slices~40", "modality", "slices>=many", "description~(", "modality>=CT"})
    EXPECT_THROW(DicomRule{bad}, Error) << bad;
  const TempDir folder;
  write_dicom(folder.path(), phantom());
  write_dicom(folder.path(), phantom({18, 14, 5}),
              {.series = "2.25.77", .prefix = "mr", .change = [](DataSet& d, std::int64_t) { tests::put(d, 0x0008103e, VR::LO, "T1, venous"); }});
  const DicomStudy study = read_dicom_study(folder.path());
  const auto slices = [&](const char* rule) { return choose_volume(study, DicomRule(rule)).volume.slices.size(); };
  EXPECT_EQ(slices(""), 5u);
  EXPECT_EQ(slices("modality=MR|ct, slices<5"), 4u);
  EXPECT_EQ(slices("description~VEN"), 5u);
  EXPECT_EQ(slices("description=\"T1, venous\""), 5u);
  EXPECT_EQ(slices("description!~venous,spacing=2,orientation=axial"), 4u);
  EXPECT_EQ(slices("series=2.25.1001"), 4u);
  EXPECT_EQ(slices("2.25.1001"), 4u);
  EXPECT_THAT(choose_volume(study).why, HasSubstr("of 2 volumes, it has the most slices"));
  try {
    choose_volume(study, DicomRule("modality=PT"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::not_found);
    EXPECT_THAT(e.what(), HasSubstr("no volume fits modality=PT: there are CT"));
  }
}

}  // namespace
}  // namespace vesal::image
