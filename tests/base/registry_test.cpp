#include "base/registry.h"

#include <gmock/gmock.h>

namespace vesal {
namespace {

using testing::HasSubstr;

struct Box : Object {
  std::string type_name() const override { return "Box"; }
  std::string contents;
};

const Register box({.kind = "test",
                    .name = "BoxForTests",
                    .aliases = {"BoxAlias"},
                    .summary = "A box",
                    .params = {required("size", "how large"), optional("color", "red", "its color"), {"extra", "the rest", std::nullopt, true}},
                    .make = [](const Args& args) -> Value {
                      auto b = std::make_shared<Box>();
                      b->contents = std::to_string(args.get<int>("size")) + args.get<std::string>("color") + args["extra"].repr();
                      return b;
                    }});
const Allow allowed_function("package.inner.twice", [](const CallArgs& args) { return Value(args.positional.at(0).as_int() * 2); });

std::string contents(const CallArgs& args) { return construct(components::get("BoxForTests"), args).object<Box>()->contents; }

std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "no error";
}

TEST(Registry, FindsByNameAliasAndPath) {
  const Component* c = components::find("BoxForTests");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(components::find("BoxAlias"), c);
  EXPECT_EQ(components::find("monai.anything.at.all.BoxForTests"), c);
  EXPECT_EQ(components::find("evil.BoxForTests"), nullptr) << "only MONAI's paths are shortened";
  EXPECT_EQ(components::find(""), nullptr);
  EXPECT_THAT(failure([] { components::get("BoxForTest"); }), HasSubstr("did you mean BoxForTests?"));
  EXPECT_THAT(failure([] { components::get("os.system"); }), HasSubstr("no component 'os.system'"));
}

TEST(Registry, BindsAsPythonDoes) {
  EXPECT_EQ(contents({{3}, {}}), "3red{}");
  EXPECT_EQ(contents({{3, "blue"}, {}}), "3blue{}");
  EXPECT_EQ(contents({{}, {{"color", "blue"}, {"size", 4}, {"depth", 1}}}), "4blue{'depth': 1}");
  EXPECT_EQ(contents({{2.0}, {}}), "2red{}") << "a whole float is an int";
  EXPECT_THAT(failure([] { contents({{}, {}}); }), HasSubstr("BoxForTests needs the argument 'size'"));
  EXPECT_THAT(failure([] { contents({{1}, {{"size", 2}}}); }), HasSubstr("got argument 'size' twice"));
  EXPECT_THAT(failure([] { contents({{1, "x", 3}, {}}); }), HasSubstr("at most 2 arguments, got 3"));
  EXPECT_THAT(failure([] { contents({{"large"}, {}}); }), HasSubstr("BoxForTests: size: int wanted, got str 'large'"));
  EXPECT_THAT(failure([] { contents({{2.5}, {}}); }), HasSubstr("int wanted"));
  const std::vector<Param> strict{required("alpha", "")};
  EXPECT_THAT(failure([&] { bind("f", strict, {{}, {{"alpa", 1}}}); }), HasSubstr("f has no argument 'alpa' (did you mean alpha?)"));
}

TEST(Registry, CastsValues) {
  EXPECT_EQ(cast<std::vector<int>>(Value(3)), std::vector<int>{3});
  EXPECT_EQ(cast<std::vector<double>>(Value(Tuple{{1, 2.5}})), (std::vector<double>{1, 2.5}));
  EXPECT_FALSE(cast<std::optional<int>>(Value()));
  EXPECT_EQ(cast<std::optional<int>>(Value(2)), 2);
  EXPECT_TRUE(cast<bool>(Value(1)));
  EXPECT_EQ(cast<std::shared_ptr<Box>>(Value()), nullptr);
  EXPECT_THROW(cast<std::shared_ptr<Box>>(Value(1)), Error);
  EXPECT_THROW(cast<int>(Value(std::int64_t{1} << 40)), Error) << "out of range";
  EXPECT_THROW(cast<int>(Value(1e30)), Error);
  EXPECT_THROW(cast<std::uint8_t>(Value(-1)), Error);
}

TEST(Registry, AllowsOnlyWhatIsListed) {
  ASSERT_NE(allowed::find("package.inner.twice"), nullptr);
  EXPECT_EQ(call_value(*allowed::find("package.inner.twice"), {{4}, {}}), Value(8));
  EXPECT_TRUE(allowed::is_prefix("package.inner"));
  EXPECT_TRUE(allowed::is_prefix("package"));
  EXPECT_FALSE(allowed::is_prefix("pack"));
  EXPECT_EQ(allowed::find("package.inner"), nullptr);
  EXPECT_EQ(allowed::find("os.system"), nullptr);
}

TEST(Registry, Suggestions) {
  EXPECT_EQ(suggestion("Unet", {"UNet", "DynUNet", "SegResNet"}), " (did you mean UNet?)");
  EXPECT_EQ(suggestion("zzzzzz", {"UNet"}), "");
}

}  // namespace
}  // namespace vesal
