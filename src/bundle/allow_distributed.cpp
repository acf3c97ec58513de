// torch.distributed for one process: rank 0 of 1. Configurations for several processes parse and run as one.
#include <atomic>
#include <cstdlib>

#include "bundle/allow.h"

namespace vesal::bundle {
namespace {

std::atomic<bool> started{false};

Value init(const CallArgs&) {
  const char* processes = std::getenv("WORLD_SIZE");
  if (processes && std::string(processes) != "1")
    throw Error(ErrorKind::unsupported, "training with " + std::string(processes) + " processes (WORLD_SIZE); this build runs one");
  started = true;
  return {};
}

const AllowFunctions functions{
    {"torch.distributed.is_available", [](const CallArgs&) { return Value(true); }},
    {"torch.distributed.is_initialized", [](const CallArgs&) { return Value(started.load()); }},
    {"torch.distributed.get_rank", [](const CallArgs&) { return Value(0); }},
    {"torch.distributed.get_world_size", [](const CallArgs&) { return Value(1); }},
    {"torch.distributed.init_process_group", init},
    {"torch.distributed.destroy_process_group",
     [](const CallArgs&) {
       started = false;
       return Value();
     }},
    {"torch.distributed.barrier", [](const CallArgs&) { return Value(); }},
};

}  // namespace
}  // namespace vesal::bundle
