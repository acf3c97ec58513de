// What jobs are doing now, for those who watch: kept in memory, told as it changes.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace vesal::server {

struct JobState {
  std::string state;         ///< as in the store
  std::string stage;         ///< of a running job, for people: "Sliding window"
  double progress = 0;       ///< 0 to 1, of the whole job
  double seconds_left = -1;  ///< of the stage; -1: not known
};

/// Thread safe.
class Live {
 public:
  void set(const std::string& job, JobState state);
  void forget(const std::string& job);
  /// What it does now; of a job that nothing was said of since the start an empty state.
  JobState of(const std::string& job) const;
  /// Jobs that changed after `seen`, which becomes the newest change; waits up to `seconds` for one. Changes of one job that follow each other
  /// quickly come as one.
  std::map<std::string, JobState> changes(std::uint64_t& seen, double seconds);
  std::uint64_t newest() const;
  /// Wakes all who wait and lets nobody wait again; the server ends.
  void stop();
  bool stopped() const;

  /// How many may watch at once, as each keeps a thread.
  static constexpr int kMostWatchers = 48;
  bool enter();
  void leave();

 private:
  struct Entry {
    JobState state;
    std::uint64_t change = 0;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Entry> jobs_;
  std::uint64_t last_ = 0;
  int watchers_ = 0;
  bool stopped_ = false;
};

}  // namespace vesal::server
