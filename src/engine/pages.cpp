#include "engine/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/memory.h"

namespace vesal::engine {
namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}

std::shared_ptr<float> pages(std::size_t floats) {
  const std::size_t bytes = std::max<std::size_t>(floats, 1) * sizeof(float);
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw Error(ErrorKind::memory, "no " + bytes_text(bytes) + " for a network's activations");
  if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
  return {static_cast<float*>(block), [bytes](float* memory) { munmap(memory, bytes); }};
}

}  // namespace vesal::engine
