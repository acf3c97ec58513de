#include "server/live.h"

#include <chrono>

namespace vesal::server {

void Live::set(const std::string& job, JobState state) {
  {
    const std::lock_guard lock(mutex_);
    jobs_[job] = {std::move(state), ++last_};
  }
  changed_.notify_all();
}

void Live::forget(const std::string& job) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(job);
}

JobState Live::of(const std::string& job) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? JobState{} : found->second.state;
}

std::map<std::string, JobState> Live::changes(std::uint64_t& seen, double seconds) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return stopped_ || last_ > seen; });
  std::map<std::string, JobState> out;
  for (const auto& [job, entry] : jobs_)
    if (entry.change > seen) out[job] = entry.state;
  seen = last_;
  return out;
}

std::uint64_t Live::newest() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void Live::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

bool Live::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool Live::enter() {
  const std::lock_guard lock(mutex_);
  return watchers_ < kMostWatchers && ++watchers_ > 0;
}

void Live::leave() {
  const std::lock_guard lock(mutex_);
  --watchers_;
}

}  // namespace vesal::server
