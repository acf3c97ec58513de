// The most memory the process has in a stretch of time: the system only tells the most since its start.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace vesal {

/// Looks at resident_memory() every few milliseconds on a thread of its own while it lives. most() may be called from any thread.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;
  /// Since it was made or since restart(); 0 where the system does not say.
  std::uint64_t most();
  void restart();

 private:
  void look();
  std::atomic<std::uint64_t> most_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vesal
