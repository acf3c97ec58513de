// vesal launch: starts a command once for each rank of this machine, as torchrun does.
#include <fmt/format.h>

#include <cstdlib>

#include "base/device.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/ranks.h"
#include "base/tcp.h"
#include "cli/children.h"
#include "cli/command.h"
#include "cli/command_after_dashes.h"

namespace vesal::cli {
namespace {

struct Options {
  std::string ranks, master;
  int machines = 0, machine = -1;
  int timeout = 0;
  double grace = 15;
};

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

int number_of(const std::string& what, const std::string& text, int least) {
  try {
    std::size_t used = 0;
    const int n = std::stoi(text, &used);
    if (used == text.size() && n >= least && n <= 1024) return n;
  } catch (const std::exception&) {}
  throw Error(ErrorKind::usage, fmt::format("{} is '{}'; a number from {} to 1024 is wanted", what, text, least));
}

/// "auto" and the like: one for each GPU, or one.
int ranks_here(const std::string& given) {
  const std::string text = given.empty() ? variable("PET_NPROC_PER_NODE") : given;
  if (text.empty() || text == "auto" || text == "gpu" || text == "cpu") return std::max(1, cuda_device_count());
  return number_of("--ranks", text, 1);
}

/// HOST:PORT, HOST, or [v6]:PORT.
std::pair<std::string, int> place_of(const std::string& text, int port) {
  const auto colon = text.rfind(':');
  const bool many = text.find(':') != colon && text.front() != '[';
  if (colon == std::string::npos || many || text.back() == ']') return {text, port};
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  try {
    const int n = std::stoi(text.substr(colon + 1));
    if (n >= 1 && n <= 65535) return {host, n};
  } catch (const std::exception&) {}
  throw Error(ErrorKind::usage, "--master '" + text + "' is not HOST:PORT");
}

int run(const Options& o, const std::vector<std::string>& given) {
  if (given.empty()) throw Error(ErrorKind::usage, "what is to be run? vesal launch --ranks 2 -- bundle run --config_file ...");
  const auto from = [](int value, const char* name, int fallback) {
    return value >= (fallback ? 1 : 0) ? value : variable(name).empty() ? fallback : number_of(name, variable(name), fallback);
  };
  const int here = ranks_here(o.ranks), machines = from(o.machines, "PET_NNODES", 1), machine = from(o.machine, "PET_NODE_RANK", 0);
  if (machine >= machines) throw Error(ErrorKind::usage, fmt::format("--machine {} of --machines {}: the first is 0", machine, machines));
  std::string master = o.master;
  if (master.empty() && !variable("PET_MASTER_ADDR").empty()) master = variable("PET_MASTER_ADDR");
  if (master.empty() && machines > 1) throw Error(ErrorKind::usage, "--master HOST:PORT is missing: where machine 0 is");
  const int usual = variable("PET_MASTER_PORT").empty() ? 29500 : number_of("PET_MASTER_PORT", variable("PET_MASTER_PORT"), 1);
  // Alone on this machine: a port that is free just now, so that two jobs do not meet.
  const auto [address, port] = master.empty() ? std::pair<std::string, int>{"127.0.0.1", tcp::port_of(tcp::listen(0))} : place_of(master, usual);
  const int threads = std::max(1, thread_count() / here);

  std::vector<Child> children;
  for (int local = 0; local < here; ++local) {
    const int rank = machine * here + local;
    Child child;
    child.name = "rank " + std::to_string(rank);
    child.arguments = {"--threads", std::to_string(threads)};
    if (local > 0 || globals().quiet) child.arguments.push_back("--quiet");
    if (local == 0 && globals().json) child.arguments.push_back("--json");
    if (globals().verbose && local == 0) child.arguments.push_back("--verbose");
    child.arguments.insert(child.arguments.end(), given.begin(), given.end());
    child.environment = {{"RANK", std::to_string(rank)},
                         {"LOCAL_RANK", std::to_string(local)},
                         {"WORLD_SIZE", std::to_string(here * machines)},
                         {"LOCAL_WORLD_SIZE", std::to_string(here)},
                         {"NODE_RANK", std::to_string(machine)},
                         {"GROUP_RANK", std::to_string(machine)},
                         {"MASTER_ADDR", address},
                         {"MASTER_PORT", std::to_string(port)},
                         {"OMP_NUM_THREADS", std::to_string(threads)}};
    if (o.timeout > 0) child.environment.emplace_back("VESAL_JOIN_TIMEOUT", std::to_string(o.timeout));
    child.in_front = local == 0;
    children.push_back(std::move(child));
  }
  log::debug("{} ranks here of {}, {} threads each, rank 0 at {}:{}", here, here * machines, threads, address, port);
  return run_children(children, std::chrono::milliseconds(static_cast<std::int64_t>(o.grace * 1000)));
}

const RegisterCommand command({
    "launch",
    "Run a command as several ranks that train together, on this machine or its part of a job on many",
    "  vesal launch --ranks 2 -- bundle run --config_file \"['configs/train.json','configs/multi_gpu_train.json']\"\n"
    "  vesal launch --ranks 4 --machines 2 --machine 0 --master node0:29500 -- bundle run --config_file ...   # and --machine 1 on the other\n"
    "Rank 0 of this machine speaks here; of the others, warnings and errors, with their name in front. When one ends with an error the\n"
    "rest are stopped, and the exit code is that of the first. See docs/distributed.md.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.fallthrough(false);  // what is to be run stays here instead of going up to the program's parser
      add_globals(app);
      app.add_option("--ranks,--nproc-per-node", o->ranks,
                     "Ranks on this machine: a number, or auto for one on each GPU (default: auto, or PET_NPROC_PER_NODE)");
      app.add_option("--machines,--nnodes", o->machines, "Machines of the job (default: 1, or PET_NNODES)")->check(CLI::Range(1, 65535));
      app.add_option("--machine,--node-rank", o->machine, "Which one this is, from 0 (default: 0, or PET_NODE_RANK)")->check(CLI::Range(0, 65534));
      app.add_option("--master", o->master, "HOST:PORT of machine 0 (default: a free port here, or PET_MASTER_ADDR and PET_MASTER_PORT)");
      app.add_option("--timeout", o->timeout, "Seconds for all ranks to come (default: 300)")->check(CLI::Range(1, 864000));
      app.add_option("--grace", o->grace, "Seconds that the others have to end by themselves once one failed")
          ->check(CLI::Range(0.0, 3600.0))
          ->capture_default_str();
      return [o] { return run(*o, command_after_dashes()); };
    },
});

}  // namespace
}  // namespace vesal::cli
