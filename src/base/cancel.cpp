#include "base/cancel.h"

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "base/error.h"

namespace vesal {
namespace {
std::atomic<bool> cancelled{false}, work_cancelled{false};
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace

void install_cancel_handler() {
  const auto handler = [](int) {
    if (cancelled.exchange(true)) std::_Exit(130);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}
bool cancel_requested() { return ending_requested() || work_cancelled.load(std::memory_order_relaxed); }
bool ending_requested() { return cancelled.load(std::memory_order_relaxed); }
void cancel_work(bool stop) { work_cancelled.store(stop); }
void request_cancel() { cancelled.store(true); }
void check_cancelled() {
  if (cancel_requested()) throw Error(ErrorKind::cancelled, "stopped");
}

}  // namespace vesal
