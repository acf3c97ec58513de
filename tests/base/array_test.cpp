#include "base/array.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace vesal {
namespace {

using testing::ElementsAre;

/// 0, 1, 2, ... of float.
Array ramp(Shape shape) {
  Array a = Array::empty(std::move(shape), DType::f32);
  std::iota(a.data<float>(), a.data<float>() + a.numel(), 0.0f);
  return a;
}

std::vector<float> values(const Array& a) {
  const Array dense = a.contiguous();
  return {dense.data<float>(), dense.data<float>() + dense.numel()};
}

ErrorKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.kind(); }
  return ErrorKind::internal;
}

TEST(Array, FreshArraysAreAlignedAndDense) {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}, Shape{2, 0, 4}, Shape{2, 3, 4}}) {
    const Array a = Array::zeros(shape, DType::f64);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.raw()) % 64, 0u);
    EXPECT_TRUE(a.is_contiguous());
    EXPECT_EQ(a.numel(), numel_of(shape));
  }
  EXPECT_EQ(ramp({2, 3, 4}).strides(), (Shape{12, 4, 1}));
  EXPECT_EQ(Array::full({}, DType::i16, 7).item(), 7);
}

TEST(Array, CopiesOfTheHandleShareMemory) {
  Array a = Array::zeros({3}, DType::f32);
  Array b = a, c = a.clone();
  b.data<float>()[1] = 5;
  EXPECT_EQ(a.at({1}), 5);
  EXPECT_EQ(c.at({1}), 0);
}

TEST(Array, Permute) {
  const Array a = ramp({2, 3, 4}).permute(std::vector<int>{2, 0, 1});
  EXPECT_EQ(a.shape(), (Shape{4, 2, 3}));
  EXPECT_FALSE(a.is_contiguous());
  for (int x = 0; x < 4; ++x)
    for (int c = 0; c < 2; ++c)
      for (int y = 0; y < 3; ++y) EXPECT_EQ(a.at({x, c, y}), c * 12 + y * 4 + x);
  EXPECT_EQ(values(a.permute(std::vector<int>{1, 2, 0})), values(ramp({2, 3, 4}))) << "the inverse";
  EXPECT_EQ(kind_of([&] { a.permute(std::vector<int>{0, 1}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.permute(std::vector<int>{0, 1, 1}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.permute(std::vector<int>{0, 1, 3}); }), ErrorKind::shape);
}

TEST(Array, FlipSliceSelect) {
  const Array a = ramp({2, 5});
  EXPECT_THAT(values(a.flip(1).select(0, 0)), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_EQ(values(a.flip(0).flip(1).flip(0).flip(-1)), values(a));
  EXPECT_THAT(values(a.slice(1, 1, 5, 2).select(0, 1)), ElementsAre(6, 8));
  EXPECT_THAT(values(a.flip(1).slice(1, 1, 5, 3).select(0, -1)), ElementsAre(8, 5));
  EXPECT_EQ(a.slice(1, 2, 2).numel(), 0);
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(values(a.slice(1, 0, 5, huge).select(0, 0)), ElementsAre(0));
  for (const auto& bad : {std::pair{-1, 2}, std::pair{0, 6}, std::pair{3, 2}})
    EXPECT_EQ(kind_of([&] { a.slice(1, bad.first, bad.second); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.slice(1, 0, 5, 0); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.select(0, 2); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.select(2, 0); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.size(2); }), ErrorKind::shape);
  EXPECT_EQ(a.size(-1), 5);
  EXPECT_EQ(Array::zeros({0, 3}, DType::f32).flip(0).numel(), 0);
}

TEST(Array, SqueezeExpandReshape) {
  const Array a = ramp({3, 1});
  EXPECT_EQ(a.squeeze(1).shape(), (Shape{3}));
  EXPECT_EQ(a.unsqueeze(0).shape(), (Shape{1, 3, 1}));
  EXPECT_EQ(a.unsqueeze(-1).shape(), (Shape{3, 1, 1}));
  EXPECT_EQ(kind_of([&] { a.squeeze(0); }), ErrorKind::shape);
  EXPECT_THAT(values(a.expand({3, 2})), ElementsAre(0, 0, 1, 1, 2, 2));
  EXPECT_THAT(values(a.squeeze(1).expand({2, 3})), ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_EQ(kind_of([&] { a.expand({4, 1}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.expand({3}); }), ErrorKind::shape);
  const Array b = ramp({2, 6});
  EXPECT_EQ(b.reshape({3, -1}).shape(), (Shape{3, 4}));
  EXPECT_EQ(b.reshape({4, 3}).raw(), b.raw()) << "a view";
  EXPECT_THAT(values(ramp({2, 2}).permute(std::vector<int>{1, 0}).reshape({4})), ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(kind_of([&] { b.reshape({5, -1}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { b.reshape({-1, -1}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { b.reshape({1ll << 62, 8}); }), ErrorKind::shape);
}

TEST(Array, SizesThatOverflowAreRefused) {
  EXPECT_EQ(kind_of([] { Array::empty({1ll << 40, 1ll << 40}, DType::u8); }), ErrorKind::memory);
  EXPECT_EQ(kind_of([] { Array::empty({1ll << 61}, DType::f64); }), ErrorKind::memory);
  EXPECT_EQ(kind_of([] { Array::empty({std::numeric_limits<std::int64_t>::max()}, DType::u8); }), ErrorKind::memory);
  EXPECT_EQ(kind_of([] { Array::empty({1ll << 50}, DType::u8); }), ErrorKind::memory);
  EXPECT_EQ(kind_of([] { Array::empty({2, -1}, DType::u8); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([] { ramp({1}).expand({1ll << 40, 1ll << 40}); }), ErrorKind::memory);
  EXPECT_EQ(Array::empty({0, 1ll << 62, 1ll << 62}, DType::f64).unsqueeze(1).numel(), 0);
}

TEST(Array, CopyConvertsBetweenStridedViews) {
  Array target = Array::zeros({3, 2}, DType::i16);
  target.permute(std::vector<int>{1, 0}).flip(0).copy_from(ramp({2, 3}));
  EXPECT_EQ(target.at({0, 1}), 0);
  EXPECT_EQ(target.at({2, 1}), 2);
  EXPECT_EQ(target.at({0, 0}), 3);
  EXPECT_EQ(kind_of([&] { target.copy_from(ramp({2, 3})); }), ErrorKind::shape);
  Array filled = Array::zeros({2, 2}, DType::u8);
  filled.select(1, 1).fill(9);
  EXPECT_EQ(filled.at({0, 0}), 0);
  EXPECT_EQ(filled.at({1, 1}), 9);
}

TEST(Array, ConversionsAsNumPy) {
  const Array a = Array::from<double>({-1.7, 0.0, 2.9, 300.0, std::nan("")}, {5});
  const Array i = a.to(DType::i32), b = a.to(DType::boolean);
  EXPECT_THAT(std::vector<int>(i.data<std::int32_t>(), i.data<std::int32_t>() + 4), ElementsAre(-1, 0, 2, 300));
  EXPECT_THAT(std::vector<bool>(b.data<bool>(), b.data<bool>() + 5), ElementsAre(true, false, true, true, true));
  EXPECT_EQ(a.to(DType::u8).data<std::uint8_t>()[3], 300 % 256);
  EXPECT_EQ(a.to(DType::f64).raw(), a.raw()) << "the same type is no copy";
  EXPECT_EQ(kind_of([&] { a.data<float>(); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.item(); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.at({5}); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { a.at({0, 0}); }), ErrorKind::shape);
}

TEST(Array, ConcatenateAndStack) {
  const Array a = ramp({2, 2}), b = ramp({2, 1});
  EXPECT_THAT(values(concatenate(std::vector<Array>{a, b}, 1)), ElementsAre(0, 1, 0, 2, 3, 1));
  EXPECT_EQ(stack(std::vector<Array>{a, a, a}, -1).shape(), (Shape{2, 2, 3}));
  EXPECT_THAT(values(stack(std::vector<Array>{a, a.flip(0)}, 0)), ElementsAre(0, 1, 2, 3, 2, 3, 0, 1));
  EXPECT_EQ(kind_of([&] { concatenate(std::vector<Array>{a, b}, 0); }), ErrorKind::shape);
  EXPECT_EQ(kind_of([&] { concatenate({}, 0); }), ErrorKind::shape);
}

TEST(Half, EveryValueSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    Half h;
    BFloat16 b;
    h.bits = b.bits = static_cast<std::uint16_t>(bits);
    const float hf = static_cast<float>(h), bf = static_cast<float>(b);
    if (std::isnan(hf)) EXPECT_TRUE(std::isnan(static_cast<float>(Half(hf))));
    else EXPECT_EQ(Half(hf).bits, bits);
    if (std::isnan(bf)) EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(bf))));
    else EXPECT_EQ(BFloat16(bf).bits, bits);
  }
}

TEST(Half, KnownValues) {  // numpy.float16(x).view('u2'), torch.tensor(x).bfloat16()
  const std::pair<float, int> halves[]{{0.0f, 0},          {-0.0f, 0x8000},     {1.0f, 0x3c00},  {-2.0f, 0xc000}, {65504.0f, 0x7bff},
                                       {65519.0f, 0x7bff}, {65520.0f, 0x7c00},  {1e10f, 0x7c00}, {0.1f, 0x2e66},  {1.0f / 3, 0x3555},
                                       {6.1e-5f, 0x03ff},  {5.96e-8f, 1},       {2.98e-8f, 0},   {2.99e-8f, 1},   {2049.0f, 0x6800},
                                       {2051.0f, 0x6802},  {-INFINITY, 0xfc00}, {1e-10f, 0}};
  for (const auto& [value, bits] : halves) EXPECT_EQ(Half(value).bits, bits) << value;
  const std::pair<float, int> brains[]{{1.0f, 0x3f80},        {-2.0f, 0xc000},   {3.14159f, 0x4049}, {1.00390625f, 0x3f80},
                                       {1.01171875f, 0x3f82}, {3.4e38f, 0x7f80}, {INFINITY, 0x7f80}};
  for (const auto& [value, bits] : brains) EXPECT_EQ(BFloat16(value).bits, bits) << value;
}

TEST(DType, Names) {
  for (const char* name : {"float32", "torch.float32", "torch.float", "np.float32", "numpy.float32", "single"})
    EXPECT_EQ(dtype_from_name(name), DType::f32) << name;
  EXPECT_EQ(dtype_from_name("uint8"), DType::u8);
  EXPECT_EQ(dtype_from_name("torch.long"), DType::i64);
  for (const char* name : {"", "float33", "torch.", "complex64", "torch.torch.float32"}) EXPECT_FALSE(dtype_from_name(name)) << name;
}

}  // namespace
}  // namespace vesal
