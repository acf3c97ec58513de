#include "server/limiter.h"

#include "server/route.h"

namespace vesal::server {
namespace {
constexpr std::size_t kMostNames = 10'000;
}

void Limiter::check(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(who);
  if (found == failures_.end()) return;
  if (Clock::now() - found->second.since > within_) failures_.erase(found);
  else if (found->second.count >= most_)
    throw HttpError(429, "too-many", "too many failures; please wait " + std::to_string(within_.count() / 60) + " minutes");
}

void Limiter::failed(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (failures_.size() >= kMostNames) std::erase_if(failures_, [&](const auto& f) { return now - f.second.since > within_; });
  if (failures_.size() >= kMostNames) failures_.erase(failures_.begin());
  Failures& failures = failures_[who];
  if (failures.count == 0 || now - failures.since > within_) failures = {0, now};
  ++failures.count;
}

void Limiter::succeeded(const std::string& who) {
  const std::lock_guard lock(mutex_);
  failures_.erase(who);
}

}  // namespace vesal::server
