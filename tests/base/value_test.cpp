#include "base/value.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

namespace vesal {
namespace {

TEST(Value, ReprAsPython) {
  const std::pair<Value, const char*> table[]{{nullptr, "None"},
                                              {true, "True"},
                                              {-3, "-3"},
                                              {1.0, "1.0"},
                                              {-0.0, "-0.0"},
                                              {0.1, "0.1"},
                                              {1e-4, "0.0001"},
                                              {1e-5, "1e-05"},
                                              {1e15, "1000000000000000.0"},
                                              {1e16, "1e+16"},
                                              {1.5e300, "1.5e+300"},
                                              {123456789012345680.0, "1.2345678901234568e+17"},
                                              {1.0 / 3, "0.3333333333333333"},
                                              {INFINITY, "inf"},
                                              {std::nan(""), "nan"},
                                              {"a", "'a'"},
                                              {"it's", "\"it's\""},
                                              {"'\"", "'\\'\"'"},
                                              {"a\\b\n\t\x1b[0m", "'a\\\\b\\n\\t\\x1b[0m'"},
                                              {"lá", "'lá'"},
                                              {DType::f32, "torch.float32"},
                                              {List{}, "[]"},
                                              {List{{1, "x", nullptr}}, "[1, 'x', None]"},
                                              {Tuple{}, "()"},
                                              {Tuple{{1}}, "(1,)"},
                                              {Tuple{{1, 2}}, "(1, 2)"},
                                              {Dict{}, "{}"},
                                              {Dict{{"a", 1}, {2, List{{3.0}}}}, "{'a': 1, 2: [3.0]}"}};
  for (const auto& [value, text] : table) EXPECT_EQ(value.repr(), text);
  EXPECT_EQ(Value("x").str(), "x");
}

TEST(Value, EqualityAsPython) {
  EXPECT_EQ(Value(1), Value(1.0));
  EXPECT_EQ(Value(true), Value(1));
  EXPECT_FALSE(Value("1") == Value(1));
  EXPECT_FALSE(Value(nullptr) == Value(false));
  EXPECT_FALSE(Value(std::nan("")) == Value(std::nan("")));
  EXPECT_EQ(Value(List{{1, 2}}), Value(List{{1.0, 2}}));
  EXPECT_FALSE(Value(List{{1}}) == Value(Tuple{{1}}));
  EXPECT_EQ(Value(Dict{{"a", 1}, {"b", 2}}), Value(Dict{{"b", 2}, {"a", 1}})) << "the order does not matter";
  EXPECT_FALSE(Value(Dict{{"a", 1}}) == Value(Dict{{"a", 2}}));
}

TEST(Value, TruthAsPython) {
  for (const Value& v : {Value(), Value(false), Value(0), Value(0.0), Value(""), Value(List{}), Value(Tuple{}), Value(Dict{})})
    EXPECT_FALSE(v.truthy()) << v.repr();
  for (const Value& v : {Value(true), Value(-1), Value(0.5), Value("0"), Value(List{{0}}), Value(DType::u8)}) EXPECT_TRUE(v.truthy()) << v.repr();
  EXPECT_TRUE(Value(Array::full({1}, DType::f32, 1)).truthy());
  EXPECT_THROW(Value(Array::zeros({2}, DType::f32)).truthy(), Error);
}

TEST(Value, WrongTypesSayBoth) {
  try {
    Value("x").as_int();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::config);
    EXPECT_STREQ(e.what(), "int wanted, got str 'x'");
  }
  EXPECT_EQ(Value(true).as_int(), 1);
  EXPECT_EQ(Value(3).as_float(), 3.0);
  EXPECT_THROW(Value(3.5).as_int(), Error);
  EXPECT_THROW(Value(1).as_bool(), Error);
  EXPECT_THROW(Value(Tuple{}).mutable_items(), Error);
  EXPECT_EQ(Value("float16").as_dtype(), DType::f16);
}

TEST(Value, ContainersAreShared) {
  Value a = List{};
  Value b = a;
  b.mutable_items().push_back(1);
  EXPECT_EQ(a.items().size(), 1u);
}

TEST(Value, AListThatHoldsItselfIsPrintedAndNotCompared) {
  Value loop = List{}, other = List{};
  loop.mutable_items().push_back(loop);
  other.mutable_items().push_back(other);
  EXPECT_THAT(loop.repr(), testing::HasSubstr("..."));
  EXPECT_THROW((void)(loop == other), Error);
  loop.mutable_items().clear();
  other.mutable_items().clear();
}

TEST(Dict, KeepsOrderAndReplaces) {
  Dict d{{"b", 1}, {"a", 2}, {"b", 3}};
  d["c"] = 4;
  EXPECT_EQ(Value(d).repr(), "{'b': 3, 'a': 2, 'c': 4}");
  EXPECT_TRUE(d.erase("a"));
  EXPECT_FALSE(d.erase("a"));
  EXPECT_EQ(Value(d).repr(), "{'b': 3, 'c': 4}");
  EXPECT_THROW(d.at("a"), Error);
}

TEST(Dict, KeysAreEqualAsInPython) {
  for (const int filling : {0, 100}) {  // few keys are searched, many are hashed
    Dict d;
    for (int i = 0; i < filling; ++i) d["filling" + std::to_string(i)] = i;
    d[1] = "int";
    d[true] = "bool";
    d[1.0] = "float";
    d[std::int64_t{1} << 60] = "large";
    d[Tuple{{1, "a"}}] = "tuple";
    d[nullptr] = "none";
    d[0.5] = "half";
    EXPECT_EQ(d.size(), static_cast<std::size_t>(filling) + 5);
    EXPECT_EQ(d.at(1), Value("float"));
    EXPECT_EQ(d.at(std::ldexp(1.0, 60)), Value("large"));
    EXPECT_EQ(d.at(Tuple{{1.0, "a"}}), Value("tuple"));
    EXPECT_EQ(d.at(nullptr), Value("none"));
    EXPECT_EQ(d.at(0.5), Value("half"));
    EXPECT_FALSE(d.contains("1"));
    EXPECT_FALSE(d.contains(0));
  }
}

TEST(Dict, ManyKeysAreFoundErasedAndCopied) {
  Dict d;
  for (int i = 0; i < 1000; ++i) d["key" + std::to_string(i)] = i;
  Dict copy = d;
  for (int i = 0; i < 1000; i += 2) EXPECT_TRUE(d.erase("key" + std::to_string(i)));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(d.contains("key" + std::to_string(i)), i % 2 == 1);
    EXPECT_EQ(copy.at("key" + std::to_string(i)), Value(i));
  }
  const Dict moved = std::move(copy);
  EXPECT_EQ(moved.at("key999"), Value(999));
  int i = 1;
  for (const auto& [key, value] : d) {
    EXPECT_EQ(key, Value("key" + std::to_string(i)));
    i += 2;
  }
}

TEST(Dict, AMillionKeysTakeNoQuadraticTime) {
  const auto start = std::chrono::steady_clock::now();
  Dict d;
  for (int i = 0; i < 1'000'000; ++i) d[i] = i;
  for (int i = 0; i < 1'000'000; ++i) ASSERT_EQ(d.find(i)->as_int(), i);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Objects, RefuseWhatTheyCannotDo) {
  const Value f = make_function("twice", [](const CallArgs& args) { return Value(args.positional.at(0).as_int() * 2); });
  EXPECT_EQ(call_value(f, {{21}, {}}), Value(42));
  EXPECT_EQ(f.repr(), "<function twice>");
  EXPECT_THROW(call_value(3, {}), Error);
  EXPECT_THROW(f.as_object()->set_attribute("x", 1), Error);
  EXPECT_FALSE(f.as_object()->attribute("__globals__"));
  EXPECT_EQ(f, f);
}

}  // namespace
}  // namespace vesal
