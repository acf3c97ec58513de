// What launchers say in the environment.
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/ranks.h"

namespace vesal::ranks {
namespace {

const char* variable(const char* name) {
  const char* text = std::getenv(name);
  return text && *text ? text : nullptr;
}

std::optional<int> number(const char* name, int least, int most) {
  const char* text = variable(name);
  if (!text) return std::nullopt;
  int n = 0;
  const char* end = text + std::string_view(text).size();
  const auto [p, error] = std::from_chars(text, end, n);
  if (error != std::errc{} || p != end || n < least || n > most)
    throw Error(ErrorKind::config, std::string("environment variable ") + name + "='" + text + "' is no number from " + std::to_string(least) +
                                       " to " + std::to_string(most));
  return n;
}

constexpr int kMost = 65535;

void checked(const Seat& seat, const char* rank, const char* size) {
  if (seat.rank >= seat.size)
    throw Error(ErrorKind::config,
                std::string(rank) + " is " + std::to_string(seat.rank) + ", but " + size + " is only " + std::to_string(seat.size));
}

/// RANK and WORLD_SIZE, one process each.
std::optional<Seat> from_ranks() {
  const auto rank = number("RANK", 0, kMost), size = number("WORLD_SIZE", 1, kMost);
  if (!rank && !size) return std::nullopt;
  if (!size || (!rank && *size > 1))
    throw Error(ErrorKind::config, std::string("environment variable ") + (size ? "RANK" : "WORLD_SIZE") + " is not set, though " +
                                       (size ? "WORLD_SIZE" : "RANK") + " is; a launcher sets both");
  Seat seat;
  seat.rank = rank.value_or(0);
  seat.size = *size;
  checked(seat, "RANK", "WORLD_SIZE");
  const auto local = number("LOCAL_RANK", 0, kMost);
  if (const auto each = number("PET_NPROC_PER_NODE", 1, kMost); !local && each && *each > 1)
    throw Error(ErrorKind::config,
                "this machine is to run " + std::to_string(*each) + " processes (PET_NPROC_PER_NODE): start them with `vesal launch -- COMMAND`");
  seat.local_rank = local.value_or(0);
  seat.local_size = number("LOCAL_WORLD_SIZE", 1, kMost).value_or(1);
  const char* address = variable("MASTER_ADDR");
  if (!address && seat.size > 1)
    throw Error(ErrorKind::config, "environment variable MASTER_ADDR is not set: the name or number of rank 0's machine");
  if (address) seat.address = address;
  seat.port = number("MASTER_PORT", 1, kMost).value_or(seat.port);
  if (const char* attempt = variable("TORCHELASTIC_RESTART_COUNT")) seat.attempt = attempt;
  const char* elsewhere = variable("TORCHELASTIC_USE_AGENT_STORE");
  seat.store_elsewhere = elsewhere && std::string_view(elsewhere) == "True";
  seat.launcher = seat.attempt.empty() ? "a launcher" : "torchrun";
  return seat;
}

/// A pod of Kubeflow's Trainer: PET_* are the options of torchrun. With one process in each pod its number is that of the pod.
std::optional<Seat> from_pod() {
  const char* nodes_text = variable("PET_NNODES");
  if (!nodes_text || !variable("PET_NODE_RANK")) return std::nullopt;
  if (std::string_view(nodes_text).find(':') != std::string_view::npos)
    throw Error(ErrorKind::unsupported, std::string("PET_NNODES=") + nodes_text + ": a number of machines that changes; give one number");
  Seat seat;
  seat.size = *number("PET_NNODES", 1, kMost);
  seat.rank = *number("PET_NODE_RANK", 0, kMost);
  checked(seat, "PET_NODE_RANK", "PET_NNODES");
  const char* each = variable("PET_NPROC_PER_NODE");
  if (each && std::isdigit(static_cast<unsigned char>(*each)) && *number("PET_NPROC_PER_NODE", 1, kMost) > 1)
    throw Error(ErrorKind::config,
                std::string("each pod is to run ") + each + " processes (PET_NPROC_PER_NODE): start them with `vesal launch -- COMMAND`");
  if (const char* address = variable("PET_MASTER_ADDR")) seat.address = address;
  else if (seat.size > 1) throw Error(ErrorKind::config, "environment variable PET_MASTER_ADDR is not set: the name of the first pod");
  seat.port = number("PET_MASTER_PORT", 1, kMost).value_or(seat.port);
  seat.launcher = "a Kubernetes job";
  return seat;
}

/// A task that srun started. In the batch script itself there is no step, and one process runs.
std::optional<Seat> from_slurm() {
  if (!variable("SLURM_STEP_ID") || !variable("SLURM_PROCID")) return std::nullopt;
  Seat seat;
  seat.rank = *number("SLURM_PROCID", 0, kMost);
  seat.size = number("SLURM_STEP_NUM_TASKS", 1, kMost).value_or(number("SLURM_NTASKS", 1, kMost).value_or(1));
  checked(seat, "SLURM_PROCID", "SLURM_NTASKS");
  seat.local_rank = number("SLURM_LOCALID", 0, kMost).value_or(0);
  const char* nodes = variable("SLURM_STEP_NODELIST");
  if (!nodes) nodes = variable("SLURM_JOB_NODELIST");
  if (const char* address = variable("MASTER_ADDR")) seat.address = address;
  else if (nodes) seat.address = first_machine(nodes);
  else if (seat.size > 1) throw Error(ErrorKind::config, "neither SLURM_STEP_NODELIST nor MASTER_ADDR is set: where is rank 0?");
  // Two jobs on one machine must not meet: below the ports that systems give out themselves, and another one for each job.
  const int job = number("SLURM_JOB_ID", 0, 2147483647).value_or(0);
  seat.port = number("MASTER_PORT", 1, kMost).value_or(20000 + job % 10000);
  seat.launcher = "Slurm";
  return seat;
}

std::chrono::milliseconds seconds(const char* name, std::chrono::milliseconds given, int fallback) {
  if (given.count() < 0) throw Error(ErrorKind::config, "a timeout must be positive");
  return given.count() > 0 ? given : std::chrono::seconds(number(name, 1, 864000).value_or(fallback));
}

}  // namespace

std::string first_machine(const std::string& list) {
  const auto bracket = list.find('['), comma = list.find(',');
  if (bracket == std::string::npos || comma < bracket) return list.substr(0, comma);
  const auto end = list.find(']', bracket);
  if (end == std::string::npos) throw Error(ErrorKind::config, "'" + list + "' is no list of machines as Slurm writes them");
  const std::string inside = list.substr(bracket + 1, end - bracket - 1);
  const std::string first = inside.substr(0, inside.find_first_of("-,"));
  // What stands after the bracket belongs to the name: "rack[1-2]n[3,4]" begins with rack1n3.
  const auto after = list.find_first_of(",[", end + 1);
  if (after != std::string::npos && list[after] == '[') return list.substr(0, bracket) + first + first_machine(list.substr(end + 1));
  return list.substr(0, bracket) + first + list.substr(end + 1, after == std::string::npos ? after : after - end - 1);
}

std::optional<Seat> seat_from_environment() {
  for (const auto read : {from_ranks, from_pod, from_slurm})
    if (auto seat = read()) return seat;
  return std::nullopt;
}

Patience patience_or_default(Patience given) {
  return {seconds("VESAL_JOIN_TIMEOUT", given.joining, 300), seconds("VESAL_STEP_TIMEOUT", given.step, 1800)};
}

}  // namespace vesal::ranks
