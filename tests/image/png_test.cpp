#include "image/png.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "paths.h"

namespace vesal::image {
namespace {

using tests::TempDir;

TEST(Png, ColourAndGreyComeBackTransposed) {
  const TempDir folder;
  Array picture = Array::empty({4, 6, 3}, DType::u8);
  for (int i = 0; i < 72; ++i) picture.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 3);
  write_png(folder / "c.png", picture);
  const Image back = read_image(folder / "c.png");
  ASSERT_EQ(back.shape(), (Shape{6, 4, 3}));
  EXPECT_EQ(back.meta.at("original_channel_dim").as_int(), -1);
  for (std::int64_t y = 0; y < 4; ++y)
    for (std::int64_t x = 0; x < 6; ++x)
      for (std::int64_t c = 0; c < 3; ++c) ASSERT_EQ(back.array().at({x, y, c}), picture.at({y, x, c}));
  write_png(folder / "g.png", picture.select(2, 0));
  EXPECT_EQ(read_image(folder / "g.png").shape(), (Shape{6, 4}));
}

TEST(Png, ImagesComeBackWithAnyChannelsAndDepth) {
  const TempDir folder;
  for (const DType type : {DType::u8, DType::u16})
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      SCOPED_TRACE(channels);
      Array voxels = Array::empty({channels, 6, 5}, type);
      double next = 0;
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t x = 0; x < 6; ++x)
          for (std::int64_t y = 0; y < 5; ++y) voxels.select(0, c).select(0, x).select(0, y).fill(next += type == DType::u8 ? 2 : 500);
      write_image(folder / "i.png", Image(voxels), {.channel_dim = 0});
      Array back = read_image(folder / "i.png").array();
      if (channels == 1) back = back.unsqueeze(2);
      EXPECT_EQ(back.dtype(), type);
      ASSERT_EQ(back.shape(), (Shape{6, 5, channels}));
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t x = 0; x < 6; ++x)
          for (std::int64_t y = 0; y < 5; ++y) ASSERT_EQ(back.at({x, y, c}), voxels.at({c, x, y}));
    }
  EXPECT_THROW(write_image(folder / "v.png", Image(Array::zeros({1, 4, 4, 3}, DType::u8)), {}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "v.png"));
}

TEST(Png, RefusesBadInput) {
  const TempDir folder;
  write_png(folder / "a.png", Array::zeros({40, 40, 3}, DType::u8));
  auto bytes = read_bytes(folder / "a.png");
  for (const std::size_t size : {std::size_t{8}, std::size_t{20}, std::size_t{33}, std::size_t{45}, bytes.size() - 20}) {
    EXPECT_THROW(parse_png(std::span(bytes).first(size)), Error) << size;
  }
  EXPECT_THROW(parse_png({}), Error);
  EXPECT_THROW(write_png(folder / "b.png", Array::zeros({4, 4, 5}, DType::u8)), Error);
  EXPECT_THROW(write_png(folder / "b.png", Array::zeros({4, 4}, DType::f32)), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "b.png"));
}

}  // namespace
}  // namespace vesal::image
