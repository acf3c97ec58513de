// libtorch takes every tensor's memory from the system and gives it back: of a training iteration a tenth of the processor time went to page
// faults, of a large scan's network a third. Here large blocks are kept, in huge pages where the system has them, at most an eighth more than
// tensors needed at once.
#include "nn/tensor_memory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <map>
#include <mutex>
#include <new>

namespace vesal::nn {
namespace {

constexpr std::size_t kHeader = 64;                   ///< in front of each tensor's memory, which keeps its alignment
constexpr std::size_t kLarge = std::size_t{1} << 20;  ///< smaller ones come from malloc, which keeps them itself
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMostWaste = 4;  ///< a block serves a tensor of no less than 3/4 of it

struct Header {
  std::size_t bytes;  ///< of the whole block, header included
};

class Pool {
 public:
  void* take(std::size_t bytes) {
    if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
    const std::size_t whole = rounded(bytes + kHeader);
    void* block = whole >= kLarge ? take_large(whole) : take_small(whole);
    return static_cast<char*>(block) + kHeader;
  }
  void give(void* memory) {
    void* block = static_cast<char*>(memory) - kHeader;
    const std::size_t whole = static_cast<Header*>(block)->bytes;
    const std::lock_guard lock(mutex_);
    used_.now -= whole;
    if (whole < kLarge) return std::free(block);
    free_bytes_ += whole;
    by_age_.push_back({block, whole});
    by_size_.emplace(whole, std::prev(by_age_.end()));
  }
  TensorMemory used() {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    used_.most = used_.now;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    most_ever_ = used_.now;
    while (!by_age_.empty()) drop_oldest();
  }

 private:
  struct Block {
    void* memory;
    std::size_t bytes;
  };
  using Blocks = std::list<Block>;

  static std::size_t rounded(std::size_t bytes) {
    const std::size_t step = bytes < kLarge ? kHeader : bytes < 4 * kHugePage ? kLarge / 4 : kHugePage;
    return (bytes + step - 1) / step * step;
  }
  void* take_small(std::size_t whole) {
    void* block = std::aligned_alloc(kHeader, whole);
    if (!block) throw std::bad_alloc();
    const std::lock_guard lock(mutex_);
    return counted(block, whole);
  }
  void* take_large(std::size_t whole) {
    const std::lock_guard lock(mutex_);
    const auto fit = by_size_.lower_bound(whole);
    if (fit != by_size_.end() && fit->first - whole <= fit->first / kMostWaste) {
      const Block block = *fit->second;
      by_age_.erase(fit->second);
      by_size_.erase(fit);
      free_bytes_ -= block.bytes;
      return counted(block.memory, block.bytes);
    }
    const std::size_t most = std::max<std::size_t>(most_ever_, used_.now + whole);
    while (!by_age_.empty() && used_.now + free_bytes_ + whole > most + most / 8) drop_oldest();
    void* block = mapped(whole);
    while (!block && !by_age_.empty()) {
      drop_oldest();
      block = mapped(whole);
    }
    if (!block) throw std::bad_alloc();
    return counted(block, whole);
  }
  static void* mapped(std::size_t bytes) {
    void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return nullptr;
    if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
  }
  void* counted(void* block, std::size_t whole) {
    static_cast<Header*>(block)->bytes = whole;
    used_.now += whole;
    used_.most = std::max(used_.most, used_.now);
    most_ever_ = std::max<std::size_t>(most_ever_, used_.now);
    return block;
  }
  void drop_oldest() {
    const auto oldest = by_age_.begin();
    auto [entry, last] = by_size_.equal_range(oldest->bytes);
    while (entry != last && entry->second != oldest) ++entry;
    by_size_.erase(entry);
    munmap(oldest->memory, oldest->bytes);
    free_bytes_ -= oldest->bytes;
    by_age_.erase(oldest);
  }

  std::mutex mutex_;
  Blocks by_age_;  ///< free large blocks, those longest unused first
  std::multimap<std::size_t, Blocks::iterator> by_size_;
  std::size_t free_bytes_ = 0, most_ever_ = 0;
  TensorMemory used_;
};

/// Never destroyed: tensors of static objects outlive it otherwise.
Pool& pool() {
  static Pool& the = *new Pool;
  return the;
}

void give_back(void* memory) {
  if (memory) pool().give(memory);
}

class Allocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) const override {
    void* memory = nullptr;
    try {
      if (bytes > 0) memory = pool().take(bytes);
    } catch (const std::bad_alloc&) { TORCH_CHECK(false, "could not allocate memory: ", bytes, " bytes"); }
    return {memory, memory, &give_back, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
};

[[maybe_unused]] const bool installed = [] {
  static Allocator& allocator = *new Allocator;
  c10::SetCPUAllocator(&allocator, 1);
  return true;
}();

}  // namespace

TensorMemory tensor_memory() { return pool().used(); }
void reset_tensor_memory() { pool().reset(); }
void release_tensor_memory() { pool().release(); }

}  // namespace vesal::nn
