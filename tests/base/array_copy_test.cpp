// Array::copy_from against the plain definition, over strided views of every kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/array.h"

namespace vesal {
namespace {

Array ramp(Shape shape, DType type) {
  Array a = Array::empty(std::move(shape), DType::i32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<std::int32_t>()[i] = static_cast<std::int32_t>(i % 120);
  return a.to(type);
}

void expect_same(const Array& a, const Array& b) {
  ASSERT_EQ(a.shape(), b.shape());
  Shape index(a.shape().size(), 0);
  for (std::int64_t k = 0; k < a.numel(); ++k) {
    std::int64_t rest = k;
    for (std::size_t i = index.size(); i-- > 0;) index[i] = rest % a.shape()[i], rest /= a.shape()[i];
    ASSERT_EQ(a.at(index), b.at(index)) << to_string(index);
  }
}

TEST(ArrayCopy, RandomViewsInBothDirections) {
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int trial = 0; trial < 120; ++trial) {
    Shape shape;
    const int dim = 1 + below(4);
    for (int i = 0; i < dim; ++i) shape.push_back(1 + below(trial % 3 == 0 ? 40 : 7));
    const auto view = [&](Array a) {
      std::vector<int> axes(static_cast<std::size_t>(dim));
      for (int i = 0; i < dim; ++i) axes[static_cast<std::size_t>(i)] = i;
      std::shuffle(axes.begin(), axes.end(), random);
      // Make an array whose view in `axes` order has `shape`.
      Shape stored(static_cast<std::size_t>(dim));
      for (int i = 0; i < dim; ++i) stored[static_cast<std::size_t>(axes[static_cast<std::size_t>(i)])] = 2 * shape[static_cast<std::size_t>(i)];
      a = ramp(stored, a.dtype()).permute(axes);
      for (int i = 0; i < dim; ++i) {
        a = a.slice(i, 0, a.size(i), 2);
        if (below(2)) a = a.flip(i);
      }
      return a;
    };
    const DType types[] = {DType::u8, DType::f32, DType::i16};
    const Array src = view(Array::empty({1}, types[below(3)]));
    Array dst = view(Array::empty({1}, types[below(3)]));
    dst.copy_from(src);
    expect_same(dst, src);
    expect_same(src.clone(), src);
  }
}

TEST(ArrayCopy, LargeTranspositionRunsInParallel) {
  const int axes[] = {2, 1, 0};
  const Array src = ramp({67, 131, 70}, DType::i16).permute(axes);
  expect_same(src.contiguous(), src);
  expect_same(src.to(DType::f32), src);
  expect_same(src.select(0, 3).expand({5, 131, 67}).contiguous(), src.select(0, 3).expand({5, 131, 67}));
}

TEST(ArrayCopy, ScalarsAndEmptyArrays) {
  Array one = Array::empty({}, DType::f32);
  one.copy_from(Array::full({}, DType::i16, 7));
  EXPECT_EQ(one.item(), 7);
  Array none = Array::empty({3, 0, 2}, DType::f32);
  none.copy_from(Array::empty({3, 0, 2}, DType::u8));
  EXPECT_EQ(none.numel(), 0);
}

}  // namespace
}  // namespace vesal
