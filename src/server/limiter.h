// How often someone may guess: failures are counted per name, and beyond a number nobody is heard until some have been forgotten.
#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace vesal::server {

/// Thread safe. Remembers a bounded number of names.
class Limiter {
 public:
  Limiter(int most, std::chrono::seconds within) : most_(most), within_(within) {}
  /// Throws HttpError(429) if `who` has failed too often.
  void check(const std::string& who);
  void failed(const std::string& who);
  void succeeded(const std::string& who);

 private:
  using Clock = std::chrono::steady_clock;
  struct Failures {
    int count = 0;
    Clock::time_point since;
  };
  int most_;
  std::chrono::seconds within_;
  std::mutex mutex_;
  std::map<std::string, Failures> failures_;
};

}  // namespace vesal::server
