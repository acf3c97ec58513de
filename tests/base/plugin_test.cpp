#include "base/plugin.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/random.h"
#include "base/registry.h"
#include "paths.h"

namespace vesal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The kind and the text of what `work` throws.
std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return std::string(error_codes(e.kind()).name) + ": " + e.what(); }
  return "no error";
}

const Register known({.kind = "test", .name = "EarlyForTests", .summary = "", .params = {}, .make = [](const Args&) { return Value(1); }});
const Allow function("early.package.three", [](const CallArgs&) { return Value(3); });

void ask_for_what_is_there() {
  EXPECT_NE(components::find("EarlyForTests"), nullptr);
  EXPECT_EQ(components::find("early.package.three"), nullptr) << "known, though no component";
  EXPECT_EQ(components::find("early.package"), nullptr);
  EXPECT_NE(allowed::find("early.package.three"), nullptr);
  EXPECT_EQ(allowed::find("early.package"), nullptr);
  EXPECT_EQ(allowed::find("EarlyForTests"), nullptr);
  EXPECT_EQ(allowed::find("a_name_of_nobody"), nullptr) << "bare names are the language's own";
}

// One test, as a process loads once.
TEST(Plugin, IsLoadedByTheFirstNameNobodyKnows) {
  EXPECT_FALSE(plugin::networks().pending());
  EXPECT_NO_THROW(plugin::networks().load()) << "nothing is expected";

  const tests::TempDir folder;
  const auto missing = folder / "missing.so", broken = folder / "broken.so";
  plugin::networks().expect({missing, folder / "lib/missing.so"});
  ask_for_what_is_there();
  EXPECT_THAT(failure([] { components::find("LateForTests"); }),
              AllOf(HasSubstr("unsupported: networks cannot run here"), HasSubstr(missing.string()), HasSubstr("lib/missing.so")));
  EXPECT_THAT(failure([] { components::all(); }), HasSubstr(missing.string()));
  EXPECT_THAT(failure([] { allowed::find("late.package.seven"); }), HasSubstr(missing.string()));

  write_file(broken, "no library");
  plugin::networks().expect({missing, broken});
  { const plugin::LoadingAhead ahead; }
  EXPECT_TRUE(plugin::networks().pending()) << "it failed, and does so again when it is needed";
  EXPECT_THAT(failure([] { plugin::networks().load(); }), AllOf(HasSubstr("unsupported: "), HasSubstr("broken.so")));

  plugin::networks().expect({missing, VESAL_LATE_PART});
  set_global_seed(41);
  ask_for_what_is_there();
  EXPECT_TRUE(plugin::networks().pending());
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      if (i % 2 ? components::find("LateForTests") != nullptr : allowed::find("late.package.seven") != nullptr) ++found;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(found, 8);
  EXPECT_FALSE(plugin::networks().pending());
  EXPECT_EQ(construct(components::get("LateForTests"), {}), Value(41)) << "seeded before it was there";
  set_global_seed(42);
  EXPECT_EQ(construct(components::get("LateForTests"), {}), Value(42));
}

TEST(Plugin, LiesBesideTheProgramOrInItsLibraryFolder) {
  const auto places = plugin::places_of("libpart.so");
  ASSERT_EQ(places.size(), 2u);
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(places[0], folder / "libpart.so");
  EXPECT_EQ(places[1], folder.parent_path() / "lib/vesal/libpart.so");
}

}  // namespace
}  // namespace vesal
