// Makes what jobs ask for, one after the other: a scan's network already takes all cores.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "server/services.h"

namespace vesal::server {

class Worker {
 public:
  /// Puts jobs back that a dead process left behind, and begins.
  explicit Worker(Services& services);
  /// The job under way stops and is put back.
  ~Worker();

 private:
  void run();
  void work(const JobRow& job);
  void watch(const std::string& title, std::int64_t done, std::int64_t total, double left);

  Services& services_;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::string running_;  ///< under mutex_
  std::thread thread_;   ///< last: it uses all of this
};

}  // namespace vesal::server
