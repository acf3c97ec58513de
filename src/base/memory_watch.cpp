#include "base/memory_watch.h"

#include <chrono>

#include "base/memory.h"

namespace vesal {

MemoryWatch::MemoryWatch() {
  look();
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(3), [&] { return stop_; })) look();
  });
}

MemoryWatch::~MemoryWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void MemoryWatch::look() {
  const std::uint64_t now = resident_memory();
  std::uint64_t most = most_.load();
  while (now > most && !most_.compare_exchange_weak(most, now)) {}
}

std::uint64_t MemoryWatch::most() {
  look();
  return most_;
}

void MemoryWatch::restart() {
  most_ = 0;
  look();
}

}  // namespace vesal
