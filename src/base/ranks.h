// Ranks: the processes that train or judge together, on one machine or several. Rank r of n takes its share of the data and meets
// the others in gather(). One process alone is rank 0 of 1, and every function here then does nothing.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"

namespace vesal::ranks {

/// Where a launcher put this process.
struct Seat {
  int rank = 0, size = 1;              ///< among all
  int local_rank = 0, local_size = 1;  ///< on this machine
  std::string address = "127.0.0.1";   ///< of rank 0's machine: a name or a number
  int port = 29500;                    ///< where the ranks find each other
  std::string launcher;                ///< who said so, for messages: "torchrun", "a Kubernetes job", "Slurm"
  bool store_elsewhere = false;        ///< torchrun itself answers at that port, not rank 0
  std::string attempt;                 ///< torchrun's number of this start; empty without it
};

/// From RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, ... (torchrun, `vesal launch`, Kubeflow's PyTorchJob), or PET_* (Kubeflow's
/// Trainer), or SLURM_* ; nothing if none of them is set. Throws Error(config) on numbers that contradict each other.
std::optional<Seat> seat_from_environment();
/// The first machine of Slurm's "node[3,5-7],login": "node3". Throws Error(config) on unbalanced brackets.
std::string first_machine(const std::string& slurm_list);

/// How long to wait; zero: as the environment says, else 300 s and 1800 s.
struct Patience {
  std::chrono::milliseconds joining{0};  ///< for all ranks to come; VESAL_JOIN_TIMEOUT in seconds
  std::chrono::milliseconds step{0};     ///< for the others at one meeting; VESAL_STEP_TIMEOUT in seconds
};
/// The same without zeros. Throws Error(config) on values that are no positive numbers.
Patience patience_or_default(Patience given);

/// The way to the other ranks. All of them call the same functions in the same order, each from one thread at a time.
class Group {
 public:
  virtual ~Group() = default;
  /// What every rank gave, in the order of the ranks. `what` names the meeting; throws Error(io) naming the rank that is gone or
  /// stands elsewhere, and Error(cancelled) after Ctrl-C.
  virtual std::vector<std::string> gather(const std::string& what, const std::string& bytes) = 0;
  /// Tells the others that this rank ends, and why if it failed.
  virtual void leave(const std::string& failure) = 0;
  /// What is known about a rank that is gone: "rank 1 is gone: ..."; empty while all are there.
  virtual std::string lost() const = 0;
};

/// Ranks of a build that can connect them: static const Connector connector(function).
struct Connector {
  using Connect = std::shared_ptr<Group> (*)(const Seat&, const Patience&);
  explicit Connector(Connect connect);
};

/// Joins the others; a process without a seat, or the only one, has nobody to join. Throws Error(io) if they do not come in time,
/// Error(unsupported) without a Connector.
void start(const Patience& patience = {});
/// Leaves; `failure` is what the others are told if this rank ends by an error. Does nothing if not started.
void stop(const std::string& failure = {});
bool started();
int rank();
int size();
/// nullptr before start() and for one process.
std::shared_ptr<Group> group();

/// Group::gather; for one process {bytes}.
std::vector<std::string> gather(const std::string& what, const std::string& bytes);
/// Sums over all ranks, in the order of the ranks and so the same everywhere.
std::vector<double> sum(const std::string& what, const std::vector<double>& values);
void barrier();
/// Says once, on rank 0, that there is no CUDA device here and so the ranks run on the CPU and talk through Gloo.
void say_no_cuda();

/// Throws the Error that stands for a library's `message`: who is gone, or that Ctrl-C was pressed.
[[noreturn]] void fail_meeting(const std::string& message);
/// Runs work that meets other ranks inside a library; its errors become Error(io) that name the rank that is gone, if one is.
template <class F>
auto meeting(F&& work) {
  try {
    return std::forward<F>(work)();
  } catch (const std::runtime_error& e) {
    if (size() == 1) throw;
    fail_meeting(e.what());
  }
}

}  // namespace vesal::ranks
