#include "image/nifti.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "image/gzip.h"
#include "paths.h"

namespace vesal::image {
namespace {

using ::testing::HasSubstr;
using tests::TempDir;

const Dict& golden() {
  static const Value all = parse_json(read_text(tests::data("image/data/nifti.json")));
  return all.as_dict();
}
std::filesystem::path file(const std::string& name) { return tests::data("image/data/nifti") / name; }

/// Element `i` in C order, exactly.
std::string exact(const Array& a, std::int64_t i) {
  return visit_dtype(a.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) return std::to_string(a.data<T>()[i]);
    else return "float";
  });
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, ReadsWhatNibabelReads) {
  const Dict& want = golden().at(GetParam()).as_dict();
  const Image image = read_nifti(file(GetParam()));
  EXPECT_EQ(name_of(image.dtype()), want.at("dtype").as_string());
  Shape shape;
  for (const Value& extent : want.at("shape").items()) shape.push_back(extent.as_int());
  ASSERT_EQ(image.shape(), shape);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) EXPECT_NEAR(image.affine(r, c), want.at("affine").items()[r].items()[c].as_float(), 1e-12);
  const Array voxels = image.array().contiguous();
  const auto& values = want.at("values").items();
  ASSERT_EQ(static_cast<std::int64_t>(values.size()), voxels.numel());
  const Array doubles = voxels.to(DType::f64);
  for (std::int64_t i = 0; i < voxels.numel(); ++i) {
    if (values[i].is_string()) ASSERT_EQ(exact(voxels, i), values[i].as_string()) << i;
    else ASSERT_EQ(doubles.data<double>()[i], values[i].as_float()) << i;
  }
}

TEST_P(Golden, ConvertsWhileReadingAsAfterwards) {
  const Array plain = read_nifti(file(GetParam())).array().contiguous();
  for (const DType type : {DType::f32, DType::f64, DType::u8, DType::i16}) {
    const Array direct = read_nifti(file(GetParam()), {.dtype = type}).array().contiguous();
    ASSERT_EQ(direct.dtype(), type);
    EXPECT_EQ(std::memcmp(direct.raw(), plain.to(type).raw(), direct.nbytes()), 0) << name_of(type);
  }
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : golden()) names.push_back(name.as_string());
  return names;
}
INSTANTIATE_TEST_SUITE_P(Nifti, Golden, ::testing::ValuesIn(golden_names()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST(Nifti, MetadataAreMonais) {
  const Image image = read_nifti(file("four.nii.gz"));
  EXPECT_EQ(image.meta.at("filename_or_obj").as_string(), file("four.nii.gz").string());
  EXPECT_EQ(image.meta.at("original_channel_dim").as_int(), -1);
  EXPECT_EQ(image.meta.at("spatial_shape").as_array().shape(), (Shape{3}));
  EXPECT_EQ(image.meta.at("space").as_string(), "RAS");
  EXPECT_TRUE(std::isnan(read_nifti(file("le_u1.nii")).meta.at("original_channel_dim").as_float()));
  EXPECT_EQ(Affine::from_array(image.meta.at("original_affine").as_array()), image.affine);
}

TEST(Nifti, WideningUsesOneBufferForLargeVolumesToo) {
  // Larger than the parallel grain, so that every stage of the in-place conversion runs.
  const TempDir folder;
  Array voxels = Array::empty({97, 83, 61}, DType::i16);
  for (std::int64_t i = 0; i < voxels.numel(); ++i) voxels.data<std::int16_t>()[i] = static_cast<std::int16_t>(i * 7919);
  for (const char* name : {"a.nii", "a.nii.gz"}) {
    write_nifti(folder / name, Image(voxels));
    for (const DType type : {DType::i16, DType::f32, DType::f64}) {
      const Array back = read_nifti(folder / name, {.dtype = type}).array().contiguous();
      EXPECT_EQ(std::memcmp(back.raw(), voxels.to(type).raw(), back.nbytes()), 0) << name << " " << name_of(type);
    }
  }
}

TEST(Nifti, RoundTripKeepsValuesAndPlace) {
  const TempDir folder;
  for (const char* name : {"oblique.nii", "oblique_flipped.nii", "qform_qfac.nii", "le_f8.nii", "le_u8.nii", "four.nii.gz"}) {
    const Image image = read_nifti(file(name));
    const bool four = image.shape().size() == 4;
    write_nifti(folder / "out.nii.gz", image, {.channel_dim = four ? std::optional<int>(-1) : std::nullopt});
    const Image back = read_nifti(folder / "out.nii.gz");
    EXPECT_EQ(back.dtype(), image.dtype());
    ASSERT_EQ(back.shape(), image.shape());
    EXPECT_LT(max_difference(back.affine, image.affine), 1e-5);
    EXPECT_EQ(std::memcmp(back.array().contiguous().raw(), image.array().contiguous().raw(), image.array().nbytes()), 0) << name;
    // The qform says the same as the sform.
    NiftiHeader header = read_nifti_header(folder / "out.nii.gz");
    EXPECT_EQ(header.sform_code, 1);
    header.sform_code = 0;
    EXPECT_LT(max_difference(affine_of(header), image.affine), 1e-4) << name;
  }
}

TEST(Nifti, ChannelsAreWrittenLastAndOneChannelIsDropped) {
  const TempDir folder;
  Array voxels = Array::zeros({2, 5, 4, 3}, DType::f32);
  voxels.data<float>()[1 * 60 + 2 * 12 + 3 * 3 + 1] = 9;
  write_nifti(folder / "two.nii", Image(voxels), {.dtype = DType::u8});
  const Image two = read_nifti(folder / "two.nii");
  EXPECT_EQ(two.shape(), (Shape{5, 4, 3, 2}));
  EXPECT_EQ(two.array().at({2, 3, 1, 1}), 9);
  write_nifti(folder / "one.nii", Image(voxels.slice(0, 1, 2)));
  EXPECT_EQ(read_nifti(folder / "one.nii").shape(), (Shape{5, 4, 3}));
  write_nifti(folder / "kept.nii", Image(voxels.slice(0, 1, 2)), {.squeeze_end_dims = false});
  EXPECT_EQ(read_nifti(folder / "kept.nii").shape(), (Shape{5, 4, 3, 1}));
  write_nifti(folder / "flat.nii", Image(voxels.select(0, 0)), {.channel_dim = 0});
  EXPECT_EQ(read_nifti(folder / "flat.nii").shape(), (Shape{4, 3, 1, 5}));
}

TEST(Nifti, DeferredVoxelsAreWrittenSlabBySlab) {
  class Ramp : public VoxelSource {
   public:
    std::int64_t channels() const override { return 1; }
    const Shape& spatial_shape() const override { return shape_; }
    DType dtype() const override { return DType::f32; }
    Array read(const Box& box) const override {
      Array out = Array::empty({1, box.size(0), box.size(1), box.size(2)}, DType::f32);
      float* p = out.data<float>();
      for (auto x = box.begin[0]; x < box.end[0]; ++x)
        for (auto y = box.begin[1]; y < box.end[1]; ++y)
          for (auto z = box.begin[2]; z < box.end[2]; ++z) *p++ = static_cast<float>((x + 3 * y + 5 * z) % 251);
      return out;
    }

   private:
    Shape shape_{300, 200, 150};
  };
  const TempDir folder;
  const Image image{VoxelSourcePtr(std::make_shared<Ramp>())};
  write_nifti(folder / "ramp.nii.gz", image, {.dtype = DType::u8});
  EXPECT_TRUE(image.deferred()) << "writing must not compute all voxels at once";
  const Image back = read_nifti(folder / "ramp.nii.gz");
  ASSERT_EQ(back.shape(), (Shape{300, 200, 150}));
  for (std::int64_t x = 0; x < 300; x += 7)
    for (std::int64_t y = 0; y < 200; y += 11)
      for (std::int64_t z = 0; z < 150; ++z) ASSERT_EQ(back.array().at({x, y, z}), (x + 3 * y + 5 * z) % 251);
}

TEST(Nifti, LongAxesBecomeNifti2) {
  const TempDir folder;
  write_nifti(folder / "long.nii.gz", Image(Array::zeros({40000, 2, 2}, DType::u8)));
  EXPECT_EQ(read_nifti_header(folder / "long.nii.gz").version, 2);
  EXPECT_EQ(read_nifti(folder / "long.nii.gz").shape(), (Shape{40000, 2, 2}));
}

TEST(Nifti, WhatCannotBeWrittenLeavesNoFile) {
  const TempDir folder;
  Affine flat;
  flat(2, 2) = 0;
  EXPECT_THROW(write_nifti(folder / "a.nii", Image(Array::zeros({2, 2, 2}, DType::u8), flat)), Error);
  EXPECT_THROW(write_nifti(folder / "b.nii", Image(Array::zeros({2, 2, 2}, DType::u8)), {.dtype = DType::f16}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// Bad input: each message names the file and the fault, each kind is the documented one.
struct Bad {
  const char* name;
  const char* base;  ///< a good file
  std::function<void(std::vector<std::byte>&)> spoil;
  ErrorKind kind;
  const char* fault;
};
template <class T>
std::function<void(std::vector<std::byte>&)> put(std::size_t offset, T value) {
  return [=](std::vector<std::byte>& bytes) { std::memcpy(bytes.data() + offset, &value, sizeof value); };
}
std::function<void(std::vector<std::byte>&)> cut(std::size_t size) {
  return [=](std::vector<std::byte>& bytes) { bytes.resize(size); };
}
/// A valid header that declares `n`^3 bytes, then `zeros` of them, compressed, then padding.
std::function<void(std::vector<std::byte>&)> zipped(std::int64_t n, std::size_t zeros, std::size_t padding = 0) {
  return [=](std::vector<std::byte>& bytes) {
    bytes = make_nifti_header({n, n, n}, DType::u8, {});
    bytes.resize(bytes.size() + zeros);
    bytes = gzip_member(bytes, 9);
    bytes.resize(bytes.size() + padding);
  };
}

/// What is in a gzip file spoilt, and compressed again (nothing of it if it was none).
std::function<void(std::vector<std::byte>&)> rezipped(std::function<void(std::vector<std::byte>&)> spoil) {
  return [=](std::vector<std::byte>& bytes) {
    if (is_gzip(bytes)) bytes = gunzip_head(bytes, 1 << 20);
    spoil(bytes);
    bytes = gzip_member(bytes, 6);
  };
}
std::function<void(std::vector<std::byte>&)> damage_end(std::size_t from_end) {
  return [=](std::vector<std::byte>& bytes) { bytes[bytes.size() - from_end] ^= std::byte{0xff}; };
}
/// dim of a NIfTI-2 header.
std::function<void(std::vector<std::byte>&)> extents(const Shape& shape) {
  return [=](std::vector<std::byte>& bytes) {
    put(16, static_cast<std::int64_t>(shape.size()))(bytes);
    for (std::size_t i = 0; i < shape.size(); ++i) put(24 + 8 * i, shape[i])(bytes);
  };
}
void text(std::vector<std::byte>& bytes) { bytes.assign(1000, std::byte{'a'}); }

class BadNifti : public ::testing::TestWithParam<Bad> {};
TEST_P(BadNifti, IsRefusedInOneLine) {
  const Bad& bad = GetParam();
  const TempDir folder;
  const auto path = folder / (std::string("bad") + (std::string(bad.base).ends_with(".gz") ? ".nii.gz" : ".nii"));
  auto bytes = read_bytes(file(bad.base));
  bad.spoil(bytes);
  write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  try {
    read_image(path);
    FAIL() << "was read";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), bad.kind) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(path.string()));
    EXPECT_THAT(e.what(), HasSubstr(bad.fault));
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
  }
}
const float kNan = std::nanf("");
INSTANTIATE_TEST_SUITE_P(
    Nifti, BadNifti,
    ::testing::Values(
        Bad{"empty", "le_i2.nii", cut(0), ErrorKind::format, "the file is empty"},
        Bad{"empty_gz", "gz_i2.nii.gz", cut(0), ErrorKind::format, "the file is empty"},
        Bad{"short_header", "le_i2.nii", cut(300), ErrorKind::format, "300 bytes"},
        Bad{"short_voxels", "le_i2.nii", cut(400), ErrorKind::format, "cut short"},
        Bad{"truncated_gz", "gz_i2.nii.gz", cut(180), ErrorKind::format, "gzip data are damaged or cut short"},
        Bad{"gz_header_only", "gz_i2.nii.gz", cut(12), ErrorKind::format, "header"},
        Bad{"damaged_gz", "gz_i2.nii.gz", put<std::uint64_t>(150, 0x5555), ErrorKind::format, "gzip data are damaged"},
        Bad{"gz_method", "gz_i2.nii.gz", put(2, '\x07'), ErrorKind::format, "gzip data are damaged"},
        Bad{"gz_checksum", "gz_i2.nii.gz", damage_end(8), ErrorKind::format, "gzip data are damaged"},
        Bad{"gz_length", "gz_i2.nii.gz", damage_end(4), ErrorKind::format, "gzip data are damaged"},
        Bad{"gz_of_header_alone", "gz_i2.nii.gz", rezipped(cut(352)), ErrorKind::format, "cut short"},
        Bad{"gz_of_nothing", "gz_i2.nii.gz", rezipped(cut(0)), ErrorKind::format, "0 bytes, want at least 348"},
        Bad{"gz_of_gz", "gz_i2.nii.gz", rezipped(rezipped(cut(400))), ErrorKind::format, "not a NIfTI file"},
        Bad{"text", "le_i2.nii", text, ErrorKind::format, "not a NIfTI file"}, Bad{"magic", "le_i2.nii", put(344, 'x'), ErrorKind::format, "magic"},
        Bad{"not_nifti", "le_i2.nii", put(0, 1234), ErrorKind::format, "sizeof_hdr = 1234"},
        Bad{"pair", "le_i2.nii", put(345, 'i'), ErrorKind::unsupported, ".hdr and .img"},
        Bad{"rank", "le_i2.nii", put<std::int16_t>(40, 9), ErrorKind::format, "dim[0] = 9, want 1..7"},
        Bad{"negative_extent", "le_i2.nii", put<std::int16_t>(44, -4), ErrorKind::format, "dim[2] = -4"},
        Bad{"zero_extent", "le_i2.nii", put<std::int16_t>(44, 0), ErrorKind::format, "dim[2] = 0"},
        Bad{"large_extent", "le_i2.nii", put<std::int16_t>(44, 32000), ErrorKind::format, "cut short"},
        Bad{"overflow", "two_i2.nii", put<std::int64_t>(24, std::int64_t{1} << 61), ErrorKind::memory, "too large"},
        Bad{"product_overflow", "two_i2.nii", extents({std::int64_t{1} << 31, std::int64_t{1} << 31, 4}), ErrorKind::memory, "too large"},
        Bad{"exabytes", "two_i2.nii", extents({std::int64_t{1} << 31, std::int64_t{1} << 31, 1}), ErrorKind::format, "cut short"},
        Bad{"absurd", "two_i2.nii", extents({100000, 100000, 100000}), ErrorKind::format, "cut short"},
        Bad{"negative_extent_2", "two_i2.nii", extents({4, 4, -1}), ErrorKind::format, "dim[3] = -1"},
        Bad{"rank_2", "two_i2.nii", put<std::int64_t>(16, -3), ErrorKind::format, "dim[0] = -3"},
        Bad{"bitpix", "le_i2.nii", put<std::int16_t>(72, 32), ErrorKind::format, "bitpix = 32, want 16"},
        Bad{"rgb", "le_i2.nii", put<std::int16_t>(70, 128), ErrorKind::unsupported, "RGB"},
        Bad{"rgba", "gz_i2.nii.gz", rezipped(put<std::int16_t>(70, 2304)), ErrorKind::unsupported, "RGBA"},
        Bad{"complex", "le_i2.nii", put<std::int16_t>(70, 32), ErrorKind::unsupported, "complex64"},
        Bad{"float128", "le_i2.nii", put<std::int16_t>(70, 1536), ErrorKind::unsupported, "float128"},
        Bad{"datatype", "le_i2.nii", put<std::int16_t>(70, 77), ErrorKind::format, "datatype = 77"},
        Bad{"offset_low", "le_i2.nii", put(108, 200.0f), ErrorKind::format, "vox_offset"},
        Bad{"offset_nan", "le_i2.nii", put(108, kNan), ErrorKind::format, "vox_offset"},
        Bad{"offset_far", "le_i2.nii", put(108, 1e9f), ErrorKind::format, "cut short"},
        Bad{"offset_negative", "two_i2.nii", put<std::int64_t>(168, -544), ErrorKind::format, "vox_offset"},
        Bad{"affine_nan", "le_i2.nii", put(280, kNan), ErrorKind::geometry, "sform: the affine has entries that are not finite"},
        Bad{"affine_singular", "le_i2.nii", put(280, 0.0f), ErrorKind::geometry, "sform: the affine is singular"},
        Bad{"affine_infinite", "le_i2.nii", put(284, INFINITY), ErrorKind::geometry, "sform: the affine has entries that are not finite"},
        Bad{"affine_nan_gz", "gz_i2.nii.gz", rezipped(put(292, kNan)), ErrorKind::geometry, "sform: the affine has entries that are not finite"},
        Bad{"qform_nan", "qform.nii", put(268, kNan), ErrorKind::geometry, "qform: the affine has entries that are not finite"},
        Bad{"pixdim_nan", "qform.nii", put(80, kNan), ErrorKind::geometry, "qform: the affine has entries that are not finite"},
        Bad{"quaternion", "qform.nii", put(256, 2.0f), ErrorKind::geometry, "quaternion"},
        Bad{"intercept", "scaled.nii", put(116, kNan), ErrorKind::format, "scl_inter"},
        Bad{"bomb_longer", "gz_i2.nii.gz", zipped(8, 64 << 20), ErrorKind::format, "more than the 864 bytes"},
        Bad{"bomb_declared", "gz_i2.nii.gz", zipped(32767, 1 << 20), ErrorKind::format, "cut short"},
        Bad{"bomb_zeros", "gz_i2.nii.gz", zipped(1750, 1 << 20, 6 << 20), ErrorKind::memory, "bomb"}),
    [](const auto& info) { return info.param.name; });

TEST(Nifti, CutAnywhereItIsRefused) {
  for (const char* name : {"gz_i2.nii.gz", "le_i2.nii", "two_i2.nii"}) {
    const auto whole = read_bytes(file(name));
    const std::size_t needed = is_gzip(whole) ? whole.size() : whole.size() - 1;
    for (std::size_t size = 0; size < needed; size += size < 600 ? 1 : 7) {
      try {
        parse_nifti(std::span(whole).first(size));
        ADD_FAILURE() << name << " was read from " << size << " bytes";
      } catch (const Error& e) { EXPECT_EQ(e.kind(), ErrorKind::format) << name << ' ' << size << ": " << e.what(); }
    }
  }
}

TEST(Nifti, ExtensionsAreSteppedOverWhateverTheySay) {
  auto bytes = read_bytes(file("le_i2.nii"));
  const Array want = parse_nifti(bytes).array().contiguous();
  std::vector<std::byte> extension(64);
  for (const std::int32_t size : {16, 0, -1, 0x7fffffff}) {
    auto longer = bytes;
    longer[348] = std::byte{1};  // there are extensions
    std::memcpy(extension.data(), &size, sizeof size);
    longer.insert(longer.begin() + 352, extension.begin(), extension.end());
    const float offset = 352 + 64;
    std::memcpy(longer.data() + 108, &offset, sizeof offset);
    const Array got = parse_nifti(longer).array().contiguous();
    ASSERT_EQ(got.shape(), want.shape());
    EXPECT_EQ(std::memcmp(got.raw(), want.raw(), want.nbytes()), 0) << size;
  }
}

TEST(Nifti, TwoAxesAreReadAsTheyAre) {
  const TempDir folder;
  write_nifti(folder / "flat.nii.gz", Image(Array::full({5, 4}, DType::i16, 3)));
  EXPECT_EQ(read_nifti_header(folder / "flat.nii.gz").shape, (Shape{5, 4}));
  EXPECT_EQ(read_image(folder / "flat.nii.gz").shape(), (Shape{5, 4}));
}

TEST(Nifti, MissingFileAndFolderAreNamed) {
  const TempDir folder;
  try {
    read_image(folder / "none.nii.gz");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::not_found);
    EXPECT_THAT(e.what(), HasSubstr("none.nii.gz"));
  }
  try {
    read_image(folder.path());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unsupported);
    EXPECT_THAT(e.what(), HasSubstr("DICOM"));
  }
}

TEST(Nifti, SeveralGzipMembersAndTrailingBytesAreRead) {
  const auto plain = read_bytes(file("le_i2.nii"));
  std::vector<std::byte> joined;
  for (std::size_t at = 0; at < plain.size(); at += 100) {
    const auto member = gzip_member(std::span(plain).subspan(at, std::min<std::size_t>(100, plain.size() - at)), 6);
    joined.insert(joined.end(), member.begin(), member.end());
  }
  joined.resize(joined.size() + 13);  // padding
  const Array a = parse_nifti(plain).array().contiguous(), b = parse_nifti(joined).array().contiguous();
  EXPECT_EQ(std::memcmp(a.raw(), b.raw(), a.nbytes()), 0);
}

TEST(Nifti, RealScan) {
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  const Image image = read_image(tests::shared("ct_3mm/ct.nii.gz"), {.dtype = DType::f32});
  EXPECT_EQ(image.dtype(), DType::f32);
  EXPECT_EQ(image.shape().size(), 3u);
  EXPECT_EQ(image.array().strides()[0], 1) << "a Fortran-order view";
}

}  // namespace
}  // namespace vesal::image
