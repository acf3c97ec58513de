// How much one evaluation may do.
#include "base/cancel.h"
#include "bundle/expr_runtime.h"

namespace vesal::bundle::expr {
namespace {

constexpr std::int64_t kSteps = 10'000'000;
constexpr std::int64_t kBytes = std::int64_t{16} << 30;
constexpr int kLevels = 1500;

struct State {
  bool open = false;
  std::int64_t steps = 0, bytes = 0;
  int levels = 0;
};
thread_local State state;

}  // namespace

Budget::Budget() : outermost_(!state.open) {
  if (!outermost_) return;
  state.open = true;
  state.steps = state.bytes = 0;
}
Budget::~Budget() {
  if (outermost_) state.open = false;
}

Unbounded::Unbounded() : open_(state.open), steps_(state.steps), bytes_(state.bytes) { state.open = false; }
Unbounded::~Unbounded() {
  state.open = open_;
  state.steps = steps_;
  state.bytes = bytes_;
}

void spend(std::int64_t steps) {
  const std::int64_t before = state.steps;
  state.steps += steps;
  if (state.steps > kSteps) throw Error(ErrorKind::refused, "the expression takes more than " + std::to_string(kSteps) + " steps");
  if ((before >> 12) != (state.steps >> 12)) check_cancelled();
}

void spend_bytes(std::int64_t bytes) {
  state.bytes += bytes;
  if (state.bytes > kBytes) throw Error(ErrorKind::memory, "the expression wants more than " + std::to_string(kBytes >> 30) + " GiB for arrays");
}

Deeper::Deeper() {
  if (state.levels >= kLevels) throw Error(ErrorKind::refused, "recursion deeper than " + std::to_string(kLevels) + " levels");
  ++state.levels;
}
Deeper::~Deeper() { --state.levels; }

void fail(const std::string& why) { throw Error(ErrorKind::config, why); }

}  // namespace vesal::bundle::expr
