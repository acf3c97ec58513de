#include "base/plugin.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "base/device.h"
#include "base/error.h"

namespace vesal::plugin {
namespace {

namespace fs = std::filesystem;

struct State {
  std::vector<fs::path> places;
  std::atomic<bool> pending{false};
  /// Recursive: what the part registers while it is loaded may ask for names that nobody has, on this thread.
  std::recursive_mutex mutex;
  bool loading = false;
};
State& state() {
  static State instance;
  return instance;
}

[[noreturn]] void fail(const std::string& why) {
  throw Error(ErrorKind::unsupported, "networks cannot run here: " + why + "; please install vesal anew");
}

fs::path file_of(const std::vector<fs::path>& places) {
  std::string looked;
  std::error_code ignored;
  for (const fs::path& place : places) {
    if (fs::exists(place, ignored)) return place;
    looked += (looked.empty() ? "" : " nor ") + place.string();
  }
  fail("there is neither " + looked);
}

}  // namespace

std::vector<fs::path> places_of(const std::string& file) {
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (ec) return {};
  const fs::path folder = program.parent_path();
  return {folder / file, (folder / "../lib/vesal" / file).lexically_normal()};
}

void expect(std::vector<fs::path> places) {
  state().places = std::move(places);
  state().pending = true;
}

bool pending() { return state().pending; }

void load() {
  State& s = state();
  if (!s.pending) return;
  const std::lock_guard lock(s.mutex);
  if (!s.pending || s.loading) return;
  s.loading = true;
  struct Done {
    bool& loading;
    ~Done() { loading = false; }
  } const done{s.loading};
  const fs::path file = file_of(s.places);
  // The part itself is linked to be bound at once, so that a symbol it lacks is said here; the libraries it needs bind theirs at first use.
  if (!dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL)) fail(dlerror());
  s.pending = false;
}

LoadingAhead::LoadingAhead() {
  if (!pending()) return;
  has_cuda_driver();  // asked and remembered now: while the system's loader loads, it answers nobody else
  thread_ = std::thread([] {
    try {
      load();
    } catch (const Error&) {  // said when the part is needed
    }
  });
}

LoadingAhead::~LoadingAhead() {
  if (thread_.joinable()) thread_.join();
}

void set_library_defaults() {
  if (!std::getenv("OMP_WAIT_POLICY") && !std::getenv("GOMP_SPINCOUNT")) {
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("GOMP_SPINCOUNT", "0", 1);
  }
  setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", 0);
}

}  // namespace vesal::plugin
