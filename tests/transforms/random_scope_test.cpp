// Where random transforms draw from.
#include <gtest/gtest.h>

#include <thread>

#include "transforms/compose.h"

namespace vesal::transforms {
namespace {

/// Gives the first number it draws.
class Draw : public Transform, public Randomizable {
 public:
  std::string type_name() const override { return "Draw"; }
  Value apply(const Value&) const override { return static_cast<std::int64_t>(next_stream().next() >> 1); }
};

std::int64_t draw(const Transform& t) { return t.apply(Value()).as_int(); }

TEST(RandomScope, SeedsRepeatAndApplicationsDiffer) {
  Draw a, b;
  a.set_seed(5), b.set_seed(5);
  const std::int64_t first = draw(a), second = draw(a);
  EXPECT_NE(first, second);
  EXPECT_EQ(draw(b), first);
  EXPECT_EQ(draw(b), second);
  a.set_seed(5);
  EXPECT_EQ(draw(a), first);
}

TEST(RandomScope, UnseededTransformsDrawApart) {
  const Draw a, b;
  EXPECT_NE(draw(a), draw(b));
}

TEST(RandomScope, ScopeDecidesAloneAndNests) {
  Draw a, b;
  a.set_seed(1), b.set_seed(2);
  std::int64_t first, second;
  {
    const RandomScope scope(9);
    first = draw(a), second = draw(b);
    const RandomScope inner(10);
    EXPECT_NE(draw(a), first);
  }
  EXPECT_NE(first, second);
  const RandomScope again(9);
  EXPECT_EQ(draw(b), first);
  EXPECT_EQ(draw(a), second);
}

TEST(RandomScope, ThreadsDoNotMeet) {
  const Draw a;
  const auto numbers = [&](std::uint64_t seed) {
    const RandomScope scope(seed);
    std::vector<std::int64_t> out;
    for (int i = 0; i < 200; ++i) out.push_back(draw(a));
    return out;
  };
  const auto one = numbers(1), two = numbers(2);
  std::vector<std::int64_t> got_one, got_two;
  std::thread first([&] { got_one = numbers(1); }), second([&] { got_two = numbers(2); });
  first.join(), second.join();
  EXPECT_EQ(got_one, one);
  EXPECT_EQ(got_two, two);
}

TEST(RandomScope, ComposeSeedsItsTransforms) {
  const auto a = std::make_shared<Draw>(), b = std::make_shared<Draw>();
  Compose both({a, b});
  both.set_seed(3);
  const std::int64_t first = draw(*a), second = draw(*b);
  EXPECT_NE(first, second);
  both.set_seed(3);
  EXPECT_EQ(draw(*a), first);
  EXPECT_EQ(draw(*b), second);
}

}  // namespace
}  // namespace vesal::transforms
