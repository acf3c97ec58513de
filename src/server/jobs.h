// The queue: jobs as rows of the store, so that a process that is killed leaves a state from which the next start goes on.
//
//   queued -> running -> done | failed | cancelled;  failed, cancelled -> queued by retry
//
// A result is made in jobs/ID.part and renamed to jobs/ID before the job is done; only jobs that are done show files.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "server/live.h"
#include "server/store.h"

namespace vesal::server {

struct JobRow {
  std::string id, upload, model, series, state;
  std::int64_t user = 0;
  bool mine = false;
};

/// Thread safe. Of jobs that somebody may not see everything throws Error(not_found), as if they were not there.
class Jobs {
 public:
  Jobs(Store& store, Live& live) : store_(store), live_(live) {}
  /// Throws Error(not_found) for uploads of others, HttpError(409) for those that are not complete.
  std::string add(std::int64_t user, const std::string& upload, const std::string& model, const std::string& series);
  /// The user's own and those that others share, the newest first.
  std::vector<Dict> list(std::int64_t user);
  Dict describe(std::int64_t user, const std::string& id);
  bool visible(std::int64_t user, const std::string& id);
  /// A job that the user may see, or that is his own (`own`: changes).
  JobRow row(std::int64_t user, const std::string& id, bool own = false);
  void share(std::int64_t user, const std::string& id, bool shared);
  /// A queued job is cancelled, of a running one its work is stopped. Throws HttpError(409) when it has ended.
  void cancel(std::int64_t user, const std::string& id);
  void retry(std::int64_t user, const std::string& id);
  void remove(std::int64_t user, const std::string& id);
  std::filesystem::path folder(const std::string& id) const { return store_.jobs() / id; }

  // The worker's side.
  std::optional<JobRow> take();
  void done(const std::string& id, const std::string& report);
  void failed(const std::string& id, const std::string& why, const std::string& kind);
  void cancelled(const std::string& id);
  /// The process ends before the job does.
  void put_back(const std::string& id);
  /// At the start: what ran when the process died is queued again, or failed after dying with it five times; half results go.
  void recover();
  /// Whether somebody has cancelled the running job; stop_heard() takes the wish back once the job has another state.
  bool stop_wanted(const std::string& id);
  void stop_heard();
  /// Jobs by state.
  std::vector<std::pair<std::string, std::int64_t>> counts();

 private:
  void set_state(Database& db, const std::string& id, const std::string& state);
  void tell(const std::string& id, const std::string& state) {
    live_.set(id, {.state = state, .stage = "", .progress = state == "done" ? 1.0 : 0.0});
  }
  Store& store_;
  Live& live_;
  std::mutex mutex_;
  std::string stop_;  ///< the running job that is to stop; under mutex_
};

}  // namespace vesal::server
