// The part of journal.h after a job was made: work, sending, and what a crash leaves.
#include <algorithm>

#include "base/error.h"
#include "dicom/journal.h"

namespace vesal::dicom {
namespace {

constexpr const char* kJobColumns = "id, study, rule, series, digest, state, error, attempts, interruptions, next_at, created, changed";

JobRow job_of(const Query& q) {
  JobRow job;
  job.id = q.number(0);
  job.study = q.text(1);
  job.rule = q.text(2);
  job.series = q.text(3);
  job.digest = q.text(4);
  job.state = q.text(5);
  job.error = q.text(6);
  job.attempts = static_cast<int>(q.number(7));
  job.interruptions = static_cast<int>(q.number(8));
  job.next_at = q.number(9);
  job.created = q.number(10);
  job.changed = q.number(11);
  return job;
}

constexpr const char* kSendings =
    "SELECT results.id, sop, sop_class, path, job, peer, state, error, attempts FROM sendings JOIN results ON results.id = result ";

std::vector<SendingRow> sendings_of(Query& q) {
  std::vector<SendingRow> out;
  while (q.next())
    out.push_back({{q.number(0), q.text(1), q.text(2), q.text(3)}, q.number(4), q.text(5), q.text(6), q.text(7), static_cast<int>(q.number(8))});
  return out;
}

}  // namespace

std::optional<JobRow> Journal::take_job() {
  const std::lock_guard lock(mutex_);
  std::optional<JobRow> job;
  db_.transaction([&] {
    Query query(db_, std::string("SELECT ") + kJobColumns + " FROM jobs WHERE state = 'queued' AND next_at <= ? ORDER BY next_at, id LIMIT 1");
    if (!query.bind(now()).next()) return;
    job = job_of(query);
    // Counted before the work: a job that takes the process down with it has been tried.
    Query(db_, "UPDATE jobs SET state = 'running', attempts = attempts + 1, changed = ? WHERE id = ?").bind(now()).bind(job->id).run();
    job->state = "running";
    ++job->attempts;
  });
  return job;
}

bool Journal::made(std::int64_t job, const std::vector<ResultRow>& results, const std::vector<std::string>& peers) {
  const std::lock_guard lock(mutex_);
  bool running = false;
  db_.transaction([&] {
    running = Query(db_, "SELECT 1 FROM jobs WHERE id = ? AND state = 'running'").bind(job).next();
    if (!running) return;
    Query(db_, "DELETE FROM results WHERE job = ?").bind(job).run();
    for (const ResultRow& r : results) {
      Query(db_, "INSERT INTO results(job, sop, sop_class, path) VALUES(?, ?, ?, ?)").bind(job).bind(r.sop).bind(r.sop_class).bind(r.path).run();
      const std::int64_t id = db_.last_id();
      for (const std::string& peer : peers)
        Query(db_, "INSERT INTO sendings(result, peer, state, changed) VALUES(?, ?, 'queued', ?)").bind(id).bind(peer).bind(now()).run();
    }
    Query(db_, "UPDATE jobs SET state = 'sending', error = '', changed = ? WHERE id = ?").bind(now()).bind(job).run();
    settle(job);
  });
  return running;
}

/// After a change of a sending: nothing left to send is "done", or "failed" if a part of it was given up.
void Journal::settle(std::int64_t job) {
  Query open(db_, "SELECT 1 FROM sendings JOIN results ON results.id = result WHERE job = ? AND state = 'queued' LIMIT 1");
  if (open.bind(job).next()) return;
  Query lost(db_, "SELECT peer, error FROM sendings JOIN results ON results.id = result WHERE job = ? AND state = 'failed' LIMIT 1");
  const bool failed = lost.bind(job).next();
  Query(db_, "UPDATE jobs SET state = ?, error = ?, changed = ? WHERE id = ? AND state = 'sending'")
      .bind(std::string_view(failed ? "failed" : "done"))
      .bind(failed ? "sending to " + lost.text(0) + ": " + lost.text(1) : std::string())
      .bind(now())
      .bind(job)
      .run();
}

void Journal::failed(std::int64_t job, const std::string& why, Time next_at) {
  const std::lock_guard lock(mutex_);
  Query(db_, "UPDATE jobs SET state = ?, error = ?, next_at = ?, changed = ? WHERE id = ? AND state = 'running'")
      .bind(std::string_view(next_at ? "queued" : "failed"))
      .bind(why)
      .bind(next_at)
      .bind(now())
      .bind(job)
      .run();
}

void Journal::put_back(std::int64_t job) {
  const std::lock_guard lock(mutex_);
  Query(db_, "UPDATE jobs SET state = 'queued', attempts = attempts - 1, next_at = 0, changed = ? WHERE id = ? AND state = 'running'")
      .bind(now())
      .bind(job)
      .run();
}

int Journal::recover(int most_interruptions) {
  const std::lock_guard lock(mutex_);
  std::int64_t changed = 0;
  db_.transaction([&] {
    Query(db_,
          "UPDATE jobs SET interruptions = interruptions + 1, attempts = attempts - 1, changed = ?1, next_at = 0, "
          "state = CASE WHEN interruptions + 1 >= ?2 THEN 'failed' ELSE 'queued' END, "
          "error = CASE WHEN interruptions + 1 >= ?2 THEN 'the process ended while it ran, ' || (interruptions + 1) || ' times' ELSE error END "
          "WHERE state = 'running'")
        .bind(now())
        .bind(std::int64_t{most_interruptions})
        .run();
    changed = db_.changes();
    // A clock that went back must not keep studies waiting for it.
    Query(db_, "UPDATE studies SET last_at = ?1 WHERE last_at > ?1").bind(now()).run();
  });
  return static_cast<int>(changed);
}

void Journal::retry(std::int64_t job) {
  const std::lock_guard lock(mutex_);
  db_.transaction([&] {
    Query found(db_, "SELECT state FROM jobs WHERE id = ?");
    if (!found.bind(job).next()) throw Error(ErrorKind::not_found, "there is no job " + std::to_string(job) + "; `vesal dicom jobs` lists them");
    const std::string state = found.text(0);
    if (state == "running" || state == "done" || state == "superseded")
      throw Error(ErrorKind::usage, "job " + std::to_string(job) + " is " + state + "; only jobs that failed or wait are tried again");
    Query(
        db_,
        "UPDATE sendings SET state = 'queued', attempts = 0, next_at = 0 WHERE state <> 'sent' AND result IN (SELECT id FROM results WHERE job = ?)")
        .bind(job)
        .run();
    const bool made = Query(db_, "SELECT 1 FROM results WHERE job = ?").bind(job).next();
    Query(db_, "UPDATE jobs SET state = ?, attempts = 0, interruptions = 0, next_at = 0, changed = ? WHERE id = ?")
        .bind(std::string_view(made ? "sending" : "queued"))
        .bind(now())
        .bind(job)
        .run();
    if (made) settle(job);
  });
}

std::vector<SendingRow> Journal::due_sendings() {
  const std::lock_guard lock(mutex_);
  const Time t = now();
  Query first(db_,
              "SELECT job, peer FROM sendings JOIN results ON results.id = result WHERE state = 'queued' AND next_at <= ? "
              "ORDER BY next_at, result LIMIT 1");
  if (!first.bind(t).next()) return {};
  Query query(db_, std::string(kSendings) + "WHERE state = 'queued' AND next_at <= ? AND job = ? AND peer = ? ORDER BY results.id");
  query.bind(t).bind(first.number(0)).bind(first.text(1));
  return sendings_of(query);
}

void Journal::sent(std::int64_t result, const std::string& peer) {
  const std::lock_guard lock(mutex_);
  db_.transaction([&] {
    Query(db_, "UPDATE sendings SET state = 'sent', error = '', attempts = attempts + 1, changed = ? WHERE result = ? AND peer = ?")
        .bind(now())
        .bind(result)
        .bind(peer)
        .run();
    Query job(db_, "SELECT job FROM results WHERE id = ?");
    if (job.bind(result).next()) settle(job.number(0));
  });
}

void Journal::sending_failed(std::int64_t result, const std::string& peer, const std::string& why, Time next_at) {
  const std::lock_guard lock(mutex_);
  db_.transaction([&] {
    Query(db_,
          "UPDATE sendings SET state = ?, error = ?, attempts = attempts + 1, next_at = ?, changed = ? WHERE result = ? AND peer = ? AND state = "
          "'queued'")
        .bind(std::string_view(next_at ? "queued" : "failed"))
        .bind(why)
        .bind(next_at)
        .bind(now())
        .bind(result)
        .bind(peer)
        .run();
    Query job(db_, "SELECT job FROM results WHERE id = ?");
    if (job.bind(result).next()) settle(job.number(0));
  });
}

std::vector<JobRow> Journal::jobs() {
  const std::lock_guard lock(mutex_);
  Query query(db_, std::string("SELECT ") + kJobColumns + " FROM jobs ORDER BY id");
  std::vector<JobRow> out;
  while (query.next()) out.push_back(job_of(query));
  return out;
}

std::vector<std::int64_t> Journal::jobs_of(const std::string& study) {
  const std::lock_guard lock(mutex_);
  Query query(db_, "SELECT id FROM jobs WHERE study = ?");
  query.bind(study);
  std::vector<std::int64_t> out;
  while (query.next()) out.push_back(query.number(0));
  return out;
}

std::vector<ResultRow> Journal::results(std::int64_t job) {
  const std::lock_guard lock(mutex_);
  Query query(db_, "SELECT id, sop, sop_class, path FROM results WHERE job = ? ORDER BY id");
  query.bind(job);
  std::vector<ResultRow> out;
  while (query.next()) out.push_back({query.number(0), query.text(1), query.text(2), query.text(3)});
  return out;
}

std::vector<SendingRow> Journal::sendings(std::int64_t job) {
  const std::lock_guard lock(mutex_);
  Query query(db_, std::string(kSendings) + "WHERE job = ? ORDER BY results.id, peer");
  query.bind(job);
  return sendings_of(query);
}

}  // namespace vesal::dicom
