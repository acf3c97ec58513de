#include "image/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "image/formats.h"
#include "paths.h"

namespace vesal::image {
namespace {

using ::testing::HasSubstr;
using tests::TempDir;

std::filesystem::path file(const std::string& name) { return tests::data("image/data/npy/" + name); }

std::vector<double> values(const Array& a) {
  const Array d = a.to(DType::f64).contiguous();
  return {d.data<double>(), d.data<double>() + d.numel()};
}

TEST(Npy, ReadsEveryTypeOrderAndVersion) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(file(""))) {
    const std::string name = entry.path().stem().string();
    if (name == "bool" || name == "scalar" || name == "empty" || name == "one_axis") continue;
    const Array a = read_npy(entry.path());
    ASSERT_EQ(a.shape(), (Shape{2, 3, 4})) << name;
    const auto v = values(a);
    for (int i = 0; i < 24; ++i) ASSERT_EQ(v[static_cast<std::size_t>(i)], i) << name;
    ++files;
  }
  EXPECT_EQ(files, 21);
  EXPECT_EQ(read_npy(file("fortran.npy")).strides(), (Shape{1, 2, 6}));
  EXPECT_EQ(read_npy(file("be_u8.npy")).dtype(), DType::u64);
}

TEST(Npy, ReadsScalarsEmptyArraysAndBooleans) {
  EXPECT_EQ(read_npy(file("scalar.npy")).item(), 7.5);
  EXPECT_EQ(read_npy(file("scalar.npy")).dim(), 0);
  EXPECT_EQ(read_npy(file("empty.npy")).shape(), (Shape{3, 0, 2}));
  EXPECT_EQ(read_npy(file("one_axis.npy")).shape(), (Shape{24}));
  const Array flags = read_npy(file("bool.npy"));
  EXPECT_EQ(flags.dtype(), DType::boolean);
  EXPECT_EQ(flags.at({0, 0, 3}), 1);
  EXPECT_EQ(flags.at({0, 0, 1}), 0);
}

/// Found by the fuzzer: no voxels, but strides that would overflow.
TEST(Npy, ReadsAnEmptyArrayOfAbsurdExtents) {
  const TempDir folder;
  std::string header = "{'descr': '<i8', 'fortran_order': True, 'shape': (0, 936315, 823, 247315, 823, 823), }";
  header.resize(118, ' ');
  write_file(folder / "absurd.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header);
  EXPECT_EQ(read_npy(folder / "absurd.npy").numel(), 0);
}

TEST(Npy, WritesWhatItReads) {
  const TempDir folder;
  for (const char* name : {"le_f2.npy", "le_f4.npy", "le_f8.npy", "le_u1.npy", "le_i8.npy", "bool.npy", "scalar.npy", "empty.npy", "one_axis.npy"}) {
    write_npy(folder / "out.npy", read_npy(file(name)));
    const Array back = read_npy(folder / "out.npy");
    EXPECT_EQ(back.shape(), read_npy(file(name)).shape());
    EXPECT_EQ(back.dtype(), read_npy(file(name)).dtype());
    EXPECT_EQ(values(back), values(read_npy(file(name))));
    EXPECT_EQ((std::filesystem::file_size(folder / "out.npy") - back.nbytes()) % 64, 0u) << "data start on a 64-byte boundary";
  }
}

TEST(Npy, WritesStridedViews) {
  const TempDir folder;
  const Array view = read_npy(file("le_i4.npy")).flip(1).slice(2, 0, 4, 2);
  write_npy(folder / "view.npy", view);
  EXPECT_EQ(values(read_npy(folder / "view.npy")), values(view));
  write_npy(folder / "half.npy", Array::full({2, 2}, DType::bf16, 1.5));
  EXPECT_EQ(read_npy(folder / "half.npy").dtype(), DType::f32);
}

TEST(Npy, TheFrontDoorReadsIt) {
  const Image image = read_image(file("le_i2.npy"), {.dtype = DType::f32});
  EXPECT_EQ(image.dtype(), DType::f32);
  EXPECT_EQ(image.meta.at("spatial_shape").as_array().shape(), (Shape{3}));
}

void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& fault) {
  try {
    parse_npy(std::as_bytes(std::span(bytes)));
    FAIL() << fault;
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(fault));
  }
}
std::string npy(const std::string& header, const std::string& data = std::string(96, '\1')) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xff) + static_cast<char>(header.size() >> 8) + header + data;
}

TEST(Npy, RefusesBadInput) {
  expect_refused("", ErrorKind::format, "magic");
  expect_refused("\x93NUMPY", ErrorKind::format, "cut short");
  expect_refused(std::string("\x93NUMPY\x09\x00\x10\x00{}      ", 18), ErrorKind::unsupported, "version 9");
  expect_refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14), ErrorKind::format, "cut short or damaged");
  expect_refused(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), ErrorKind::refused, "pickled");
  expect_refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), ErrorKind::unsupported, "records");
  expect_refused(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"), ErrorKind::unsupported, "'<c8'");
  expect_refused(npy("{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }"), ErrorKind::unsupported, "'<U5'");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (25,), }"), ErrorKind::format, "cut short");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), ErrorKind::format, "shape");
  expect_refused(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952, 3), }"), ErrorKind::format, "cut short");
  expect_refused(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"), ErrorKind::memory, "too large");
  expect_refused(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }"), ErrorKind::format, "shape");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }"), ErrorKind::format, "fortran_order");
  expect_refused(npy("{'descr': '<f4', 'shape': (1,), }"), ErrorKind::format, "missing");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"), ErrorKind::format, "unknown key");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } + exit()"), ErrorKind::format, "after the end");
  expect_refused(npy("{'descr': '<f4"), ErrorKind::format, "does not end");
}

TEST(Npy, OddBooleansBecomeTrue) {
  const std::string file = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", std::string("\0\x07\xff", 3));
  EXPECT_EQ(values(parse_npy(std::as_bytes(std::span(file)))), (std::vector<double>{0, 1, 1}));
}

}  // namespace
}  // namespace vesal::image
