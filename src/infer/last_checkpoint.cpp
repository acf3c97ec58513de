#include "infer/last_checkpoint.h"

#include <mutex>

namespace vesal::infer {
namespace {
std::mutex mutex;
std::filesystem::path last;
}  // namespace

void note_checkpoint(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex);
  last = path;
}
void forget_checkpoint() { note_checkpoint({}); }
std::filesystem::path last_checkpoint() {
  const std::lock_guard lock(mutex);
  return last;
}

}  // namespace vesal::infer
