#include "image/itk_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "paths.h"

namespace vesal::image {
namespace {

using ::testing::HasSubstr;
using tests::TempDir;

Image sample(DType type, Shape shape = {5, 4, 3}) {
  Array a = Array::empty(shape, DType::i32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  const Affine oblique{{{{1.2, -0.5, 0, -10}, {0.8, 0.75, 0, 20}, {0, 0, 3, 30.5}, {0, 0, 0, 1}}}};
  return Image(a.to(type), oblique);
}

TEST(ItkFormats, RoundTripKeepsValuesAndPlace) {
  const TempDir folder;
  for (const char* name : {"a.nrrd", "a.mha"})
    for (const DType type : {DType::u8, DType::i8, DType::u16, DType::i16, DType::u32, DType::i32, DType::f32, DType::f64}) {
      const Image image = sample(type);
      write_image(folder / name, image);
      const Image back = read_image(folder / name);
      ASSERT_EQ(back.dtype(), type) << name;
      ASSERT_EQ(back.shape(), image.shape());
      EXPECT_LT(max_difference(back.affine, image.affine), 1e-9) << name;
      EXPECT_EQ(std::memcmp(back.array().contiguous().raw(), image.array().raw(), image.array().nbytes()), 0) << name;
    }
}

TEST(ItkFormats, ChannelsAreComponents) {
  const TempDir folder;
  const Image image = sample(DType::f32, {2, 5, 4, 3});
  for (const char* name : {"c.nrrd", "c.mha"}) {
    write_image(folder / name, image);
    const Image back = read_image(folder / name);
    ASSERT_EQ(back.shape(), (Shape{5, 4, 3, 2})) << name;
    EXPECT_EQ(back.meta.at("original_channel_dim").as_int(), -1);
    EXPECT_EQ(back.array().at({4, 2, 1, 1}), image.array().at({1, 4, 2, 1})) << name;
  }
}

TEST(ItkFormats, TurnsLpsIntoRas) {
  // A MetaImage by hand: voxels of 1 x 2 x 3 mm from (10, 20, 30) in LPS.
  const TempDir folder;
  write_file(folder / "hand.mha",
             "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
             "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 10 20 30\nElementSpacing = 1 2 3\nDimSize = 2 1 1\nElementType = MET_UCHAR\n"
             "ElementDataFile = LOCAL\n\x05\x07");
  const Image image = read_image(folder / "hand.mha");
  const Affine want{{{{-1, 0, 0, -10}, {0, -2, 0, -20}, {0, 0, 3, 30}, {0, 0, 0, 1}}}};
  EXPECT_LT(max_difference(image.affine, want), 1e-12);
  EXPECT_EQ(image.array().at({1, 0, 0}), 7);
}

TEST(ItkFormats, RefusesBadInput) {
  const TempDir folder;
  const auto refused = [&](const std::string& name, std::string text, const std::string& fault) {
    write_file(folder / name, text);
    try {
      read_image(folder / name);
      ADD_FAILURE() << name << " was read";
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(name));
      EXPECT_THAT(e.what(), HasSubstr(fault));
      EXPECT_NE(e.kind(), ErrorKind::internal) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  };
  const std::string head = "ObjectType = Image\nNDims = 3\nBinaryData = True\nElementType = MET_UCHAR\n";
  refused("garbage.mha", "hello", "");
  refused("garbage.nrrd", "hello", "");
  refused("climbs.mhd", head + "DimSize = 2 2 2\nElementDataFile = ../../etc/passwd\n", "leaves its folder");
  refused("list.mhd", head + "DimSize = 2 2 2\nElementDataFile = LIST\na.raw\n", "several files");
  refused("short.mha", head + "DimSize = 20 20 20\nElementDataFile = LOCAL\n1234", "cut short");
  refused("huge.mha", head + "DimSize = 900000 900000 9000\nElementDataFile = LOCAL\n1234", "cut short");
  refused("missing.mhd", head + "DimSize = 2 2 2\nElementDataFile = none.raw\n", "none.raw");
  for (const std::string name : {"packed.mha", "packed.nrrd"}) {
    write_image(folder / name, sample(DType::f64, {20, 20, 20}));
    const std::string whole = read_text(folder / name);
    refused(name, whole.substr(0, whole.size() - 100), "");
  }
  refused("short.nrrd", "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 20 20 20\nencoding: raw\n\n1234", "");
}

}  // namespace
}  // namespace vesal::image
