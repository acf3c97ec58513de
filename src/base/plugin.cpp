#include "base/plugin.h"

#include <dlfcn.h>

#include <cstdlib>

#include "base/device.h"
#include "base/error.h"

namespace vesal::plugin {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::vector<fs::path> places_of(const std::string& file) {
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (ec) return {};
  const fs::path folder = program.parent_path();
  return {folder / file, (folder / "../lib/vesal" / file).lexically_normal()};
}

void Part::fail(const std::string& why) const { throw Error(ErrorKind::unsupported, lacking_ + ": " + why + "; please install vesal anew"); }

fs::path Part::file() const {
  std::string looked;
  std::error_code ignored;
  for (const fs::path& place : places_) {
    if (fs::exists(place, ignored)) return place;
    looked += (looked.empty() ? "" : " nor ") + place.string();
  }
  if (looked.empty()) fail("/proc is not mounted, so that the program cannot tell where it lies itself");
  fail("there is neither " + looked);
}

void Part::expect(std::vector<fs::path> places) {
  places_ = std::move(places);
  pending_ = true;
}

void Part::load() {
  if (!pending_) return;
  const std::lock_guard lock(mutex_);
  if (!pending_ || loading_) return;
  loading_ = true;
  struct Done {
    bool& loading;
    ~Done() { loading = false; }
  } const done{loading_};
  // The part itself is linked to be bound at once, so that a symbol it lacks is said here; the libraries it needs bind theirs at first use.
  if (!dlopen(file().c_str(), RTLD_LAZY | RTLD_LOCAL)) fail(dlerror());
  pending_ = false;
}

Part& networks() {
  static Part part("networks cannot run here");
  return part;
}
Part& dicom() {
  static Part part("DICOM cannot be done here");
  return part;
}

LoadingAhead::LoadingAhead() {
  if (!networks().pending()) return;
  has_cuda_driver();  // asked and remembered now: while the system's loader loads, it answers nobody else
  thread_ = std::thread([] {
    try {
      networks().load();
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
