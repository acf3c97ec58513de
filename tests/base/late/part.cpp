// A part that test_base loads late: a component, an allowed function, something to seed, and a question while it is being loaded.
#include "base/random.h"
#include "base/registry.h"

namespace vesal::tests {
namespace {

std::uint64_t& seeded() {
  static std::uint64_t seed = 0;
  return seed;
}

const bool lonely = components::find("NobodyHasThis") == nullptr;
const OnSeed seeding([](std::uint64_t seed) { seeded() = seed; });
const Register late({.kind = "test", .name = "LateForTests", .summary = "Its seed", .params = {}, .make = [](const Args&) -> Value {
                       return lonely ? Value(static_cast<std::int64_t>(seeded())) : Value();
                     }});
const Allow function("late.package.seven", [](const CallArgs&) { return Value(7); });

}  // namespace
}  // namespace vesal::tests
