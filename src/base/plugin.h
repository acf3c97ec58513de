// The part of the program that is loaded when something needs it: networks and training, with libtorch, whose three hundred libraries take
// ten times as long to load as the rest of the program. A program without such a part, as tests are, has all it has from the start.
#pragma once
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace vesal::plugin {

/// Where a part called `file` may lie: beside this program (a build folder), or in ../lib/vesal from there (installed). Nowhere else is
/// looked: neither the working folder nor an environment variable names code to run.
std::vector<std::filesystem::path> places_of(const std::string& file);

/// Says that there is a part to load, in the first of `places` that exists. Called once, at the start of main(), before other threads.
void expect(std::vector<std::filesystem::path> places);

/// Whether there is a part that nothing has needed yet.
bool pending();

/// Loads it, if one is expected and not yet there; its files register themselves then as those of the program did. Thread safe: whoever
/// comes second waits. Throws Error(unsupported) where no file or a damaged one is, each time it is called.
void load();

/// Loads on a thread of its own for the time this object lives, and has it when this object goes. Failures wait for load(), which repeats them.
class LoadingAhead {
 public:
  LoadingAhead();
  ~LoadingAhead();
  LoadingAhead(const LoadingAhead&) = delete;
  LoadingAhead& operator=(const LoadingAhead&) = delete;

 private:
  std::thread thread_;
};

/// What libraries of the part read from the environment while they are loaded, where the user has not set it:
/// OMP_WAIT_POLICY, GOMP_SPINCOUNT   libtorch's OpenMP threads wait asleep. Spinning, they take the cores from our own threads and from whatever
///                                   else the machine does: a training iteration beside other work cost 4.6 CPU seconds instead of 1.
/// ONEDNN_MAX_CPU_ISA                keeps oneDNN from AMX: Debian's 2.6.3 ends the program with SIGILL there when a network (a TorchScript one
///                                   may cast inside) runs a bf16 convolution. float32 never uses AMX, so nothing is lost.
/// Not thread safe, as setenv() is not: called at the start of main().
void set_library_defaults();

}  // namespace vesal::plugin
