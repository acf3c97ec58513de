// What a node has received, what it owes, and what it has sent: the truth that a crash leaves behind, in one SQLite file.
//
//   instance  stored on the disk; the row is there before the sender hears "success"
//   study     its instances, and when the last one came
//   job       one rule on one series of a study: queued -> running -> sending -> done, or failed; superseded by a job on more instances
//   result    an object a job has made, on the disk; its rows appear together with the job's change to "sending"
//   sending   one result to one peer: queued -> sent, or failed
//
// Every change is one transaction. What a process that is killed leaves behind is "running" jobs: recover() puts them back.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dicom/sqlite.h"

namespace vesal::dicom {

/// Milliseconds since 1970.
using Time = std::int64_t;
Time now();

struct InstanceRow {
  std::string study, series, sop, sop_class, caller;
  std::int64_t bytes = 0;
};

struct StudyRow {
  std::string study, caller;
  std::int64_t last_id = 0;  ///< of its newest instance
  Time last_at = 0;
};

struct JobRow {
  std::int64_t id = 0;
  std::string study, rule, series, digest;  ///< digest: of the SOP instances of the series that it is for
  std::string state, error;                 ///< error: why the last attempt failed
  int attempts = 0, interruptions = 0;
  Time next_at = 0, created = 0, changed = 0;
};

struct ResultRow {
  std::int64_t id = 0;
  std::string sop, sop_class, path;  ///< path: relative to the store
};

struct SendingRow {
  ResultRow result;
  std::int64_t job = 0;
  std::string peer, state, error;
  int attempts = 0;
};

/// Thread safe; other processes may have the same file open. Everything throws Error(io) when the disk does not do as it is told.
class Journal {
 public:
  explicit Journal(const std::filesystem::path& file);

  // Receiving.
  /// False if the instance was there before: then nothing has changed.
  bool add_instance(const InstanceRow& instance);
  bool has_instance(const std::string& study, const std::string& series, const std::string& sop);
  std::int64_t stored_bytes();
  /// What brought a study has ended as it should. Until then, and if it never does, the study is broken: a part of it may be missing.
  void delivered(const std::string& study);

  // From studies to jobs.
  /// Studies with instances that the rule has not looked at and that nothing was added to since `before`, or `broken_before` for broken ones.
  std::vector<StudyRow> complete_studies(const std::string& rule, Time before, Time broken_before);
  /// The series that the rule has chosen in this study before; "" if none.
  std::string chosen_series(const std::string& study, const std::string& rule);
  /// The rule has looked at the study up to an instance: it found nothing for it...
  void looked(const StudyRow& study, const std::string& rule);
  /// ...or work: a job, unless there is one for the same instances. A job of the rule on fewer instances of the series that has made no results
  /// yet is superseded. Returns whether there is a new job.
  bool add_job(const StudyRow& study, const std::string& rule, const std::string& series, const std::string& digest);

  /// ...or a series that cannot be used: a failed job that says why, without series and digest. More instances may make it good, a retry chooses
  /// again.
  void add_unusable(const StudyRow& study, const std::string& rule, const std::string& why);

  // Jobs.
  /// The next that is due becomes "running", with an attempt counted.
  std::optional<JobRow> take_job();
  /// Its results are on the disk: "sending", or "done" where nothing is to be sent. False, with nothing changed, if it is no longer running.
  bool made(std::int64_t job, const std::vector<ResultRow>& results, const std::vector<std::string>& peers);
  /// An attempt failed: again at `next_at`, or never if that is 0.
  void failed(std::int64_t job, const std::string& why, Time next_at);
  /// The process ends before the job does: queued, as if this attempt had not been.
  void put_back(std::int64_t job);
  /// At the start: jobs that ran when the process died are queued again, or failed after so many times. Returns how many.
  int recover(int most_interruptions);
  /// A failed job, or one that waits, starts afresh: the sending if results are there, else the work. Throws Error(not_found | usage).
  void retry(std::int64_t job);

  // Sending.
  /// All that is due of the job and peer that have waited longest.
  std::vector<SendingRow> due_sendings();
  /// The peer has said "success". A job of which all is sent is done.
  void sent(std::int64_t result, const std::string& peer);
  void sending_failed(std::int64_t result, const std::string& peer, const std::string& why, Time next_at);

  // Looking.
  std::vector<JobRow> jobs();
  std::vector<ResultRow> results(std::int64_t job);
  std::vector<SendingRow> sendings(std::int64_t job);
  /// Studies that nothing was added to since `before` and none of whose jobs is open.
  std::vector<std::string> old_studies(Time before);
  std::vector<std::int64_t> jobs_of(const std::string& study);
  /// Forgets the instances and the paths of results; the jobs stay, so that the same study coming again makes no second result.
  void forget(const std::string& study);

 private:
  void put_looked(const StudyRow& study, const std::string& rule);  ///< under mutex_
  void settle(std::int64_t job);
  std::mutex mutex_;
  Database db_;
};

}  // namespace vesal::dicom
