// Numbers for Prometheus.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "server/route.h"

namespace vesal::server {

/// Thread safe.
class Metrics {
 public:
  void count(const Route& route, int status) {
    const std::lock_guard lock(mutex_);
    ++requests_[{route.method + " " + route.path, status}];
  }
  /// By route and status.
  std::map<std::pair<std::string, int>, std::uint64_t> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
};

}  // namespace vesal::server
