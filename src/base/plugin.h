// Parts of the program that are loaded when something needs them: networks and training, with libtorch, whose three hundred libraries take
// thirty times as long to load as the rest of the program; DICOM's network and objects, with DCMTK, GDCM and libcurl, which take twice as long.
// A program without such parts, as tests are, has all it has from the start.
#pragma once
#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vesal::plugin {

/// Where a part called `file` may lie: beside this program (a build folder), or in ../lib/vesal from there (installed). Nowhere else is
/// looked: neither the working folder nor an environment variable names code to run.
std::vector<std::filesystem::path> places_of(const std::string& file);

class Part {
 public:
  /// `lacking`: what errors begin with, "networks cannot run here".
  explicit Part(std::string lacking) : lacking_(std::move(lacking)) {}
  /// Says that it lies in the first of `places` that exists. Called once, at the start of main(), before other threads.
  void expect(std::vector<std::filesystem::path> places);
  /// Whether it is there and nothing has needed it yet.
  bool pending() const { return pending_; }
  /// Loads it, if it is expected and not yet there; its files register themselves then as those of the program did. Thread safe: whoever
  /// comes second waits. Throws Error(unsupported) where no file or a damaged one is, each time it is called.
  void load();

 private:
  [[noreturn]] void fail(const std::string& why) const;
  std::filesystem::path file() const;

  std::string lacking_;
  std::vector<std::filesystem::path> places_;
  std::atomic<bool> pending_{false};
  /// Recursive: what the part registers while it is loaded may ask for names that nobody has, on this thread.
  std::recursive_mutex mutex_;
  bool loading_ = false;
};

Part& networks();
Part& dicom();

/// Loads the networks on a thread of its own for the time this object lives, and has them when this object goes. Failures wait for load(), which
/// repeats them.
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
