#include "base/ranks.h"

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/cancel.h"
#include "base/log.h"
#include "base/plugin.h"

namespace vesal::ranks {
namespace {

Connector::Connect& connect() {
  static Connector::Connect function = nullptr;
  return function;
}

struct Here {
  std::mutex mutex;
  bool started = false;
  int rank = 0, size = 1;
  std::shared_ptr<Group> group;
};
Here& here() {
  static Here instance;
  return instance;
}

}  // namespace

Connector::Connector(Connect function) { connect() = function; }

void start(const Patience& patience) {
  Here& h = here();
  const std::lock_guard lock(h.mutex);
  if (h.started) throw Error(ErrorKind::config, "the ranks have met already: destroy_process_group() comes before another init_process_group()");
  const Seat seat = seat_from_environment().value_or(Seat{});
  if (seat.size > 1) {
    plugin::networks().load();
    if (!connect())
      throw Error(ErrorKind::unsupported, "training with " + std::to_string(seat.size) +
                                              " processes; this build connects none (it was made without libtorch's c10d or Gloo)");
    h.group = connect()(seat, patience_or_default(patience));
  }
  h.rank = seat.rank;
  h.size = seat.size;
  h.started = true;
}

void stop(const std::string& failure) {
  Here& h = here();
  const std::lock_guard lock(h.mutex);
  if (h.group) h.group->leave(failure);
  h.group.reset();
  h.started = false;
  h.rank = 0;
  h.size = 1;
}

bool started() { return here().started; }
int rank() { return here().rank; }
int size() { return here().size; }
std::shared_ptr<Group> group() { return here().group; }

std::vector<std::string> gather(const std::string& what, const std::string& bytes) {
  const auto g = group();
  return g ? g->gather(what, bytes) : std::vector<std::string>{bytes};
}

std::vector<double> sum(const std::string& what, const std::vector<double>& values) {
  if (size() == 1) return values;
  std::string bytes(values.size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::vector<double> total(values.size(), 0.0);
  for (const std::string& part : gather(what, bytes)) {
    if (part.size() != bytes.size()) throw Error(ErrorKind::shape, what + ": the ranks give different numbers of values");
    for (std::size_t i = 0; i < total.size(); ++i) {
      double v;
      std::memcpy(&v, part.data() + i * sizeof(double), sizeof(double));
      total[i] += v;
    }
  }
  return total;
}

void barrier() { gather("barrier", ""); }

void say_no_cuda() {
  static std::atomic<bool> said{false};
  if (said.exchange(true)) return;
  const auto seat = seat_from_environment();
  if (!seat || seat->rank == 0) log::warning("no CUDA device here: the ranks run on the CPU and talk through gloo, not nccl");
}

void fail_meeting(const std::string& message) {
  const auto g = group();
  std::string lost;
  // The connections break at the same moment; who it was comes a little later.
  for (int turn = 0; g && turn < 40 && (lost = g->lost()).empty(); ++turn) {
    check_cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw Error(ErrorKind::io, lost.empty() ? "the ranks did not meet: " + message : lost);
}

}  // namespace vesal::ranks
