#include "base/json.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/error.h"

namespace vesal {
namespace {

using testing::HasSubstr;

std::string failure(const std::string& text) {
  try {
    parse_json(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::format);
    return e.what();
  }
  return "no error";
}

TEST(Json, RoundTrip) {
  for (const char* text : {"null", "true", "-12", "9223372036854775807", "0.1", "1e-07", "\"\"", "\"a\\\"\\\\\\n\\u0001lá\"", "[]", "{}",
                           "[1,[2,{\"a\":null}]]", "{\"z\":1,\"a\":[1.5,false],\"\":{}}"})
    EXPECT_EQ(to_json(parse_json(text), -1), text);
  EXPECT_TRUE(parse_json("1").is_int());
  EXPECT_TRUE(parse_json("1.0").is_float());
  EXPECT_EQ(parse_json("1.0").as_float(), 1);
}

TEST(Json, OddValues) {
  EXPECT_TRUE(parse_json("18446744073709551615").is_float());
  EXPECT_EQ(parse_json(R"({"a": 1, "b": 2, "a": 3})").repr(), "{'a': 3, 'b': 2}") << "the last of a name counts";
  EXPECT_EQ(parse_json("\"\\u00e1\\ud83d\\ude00\"").as_string(), "á😀");
  EXPECT_EQ(to_json(Tuple{{1, DType::f32}}, -1), "[1,\"torch.float32\"]");
  EXPECT_EQ(to_json(Dict{{1, 2}}, -1), "{\"1\":2}");
  EXPECT_EQ(to_json(Value(std::string("a\xff")), -1), "\"a\uFFFD\"") << "text that is not UTF-8";
  EXPECT_EQ(to_json(Value(1e300 * 1e300), -1), "\"inf\"");
}

TEST(Json, ErrorsSayWhere) {
  EXPECT_THAT(failure("{\"a\": 1,\n  \"b\" 2}"), HasSubstr("line 2"));
  for (const char* bad : {"", " ", "{", "[1,", "[1,]", "{\"a\":}", "{a:1}", "nul", "01", "1 2", "\"\\x\"", "\"\n\"", "\"\xff\"", "[1]]", "NaN", "'a'",
                          "\"\\ud800\"", "{1:2}"})
    EXPECT_THAT(failure(bad), HasSubstr("not JSON")) << bad;
}

TEST(Json, HostileDepthAndSize) {
  EXPECT_THAT(failure(std::string(1'000'000, '[')), HasSubstr("nested deeper than 200"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(failure(objects), HasSubstr("nested deeper than 200"));
  EXPECT_NO_THROW(parse_json(std::string(200, '[') + std::string(200, ']')));
  EXPECT_THAT(failure("1e999"), testing::AnyOf(HasSubstr("not JSON"), HasSubstr("no error")));

  const auto start = std::chrono::steady_clock::now();
  std::string wide = "{";
  for (int i = 0; i < 300'000; ++i) wide += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":0";
  EXPECT_EQ(parse_json(wide + "}").as_dict().size(), 300'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Json, AListThatHoldsItselfIsRefused) {
  Value loop = List{};
  loop.mutable_items().push_back(loop);
  EXPECT_THROW(to_json(loop), Error);
  loop.mutable_items().clear();
}

}  // namespace
}  // namespace vesal
