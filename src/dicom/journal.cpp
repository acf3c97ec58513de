#include "dicom/journal.h"

#include <algorithm>

#include "base/error.h"
#include "dicom/journal_schema.h"

namespace vesal::dicom {

Time now() { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

Journal::Journal(const std::filesystem::path& file) : db_(file) {
  db_.transaction([&] {
    Query version(db_, "PRAGMA user_version");
    version.next();
    const std::int64_t found = version.number(0);
    if (found > kJournalVersion) throw Error(ErrorKind::unsupported, file.string() + " was written by a newer vesal; use that one");
    if (found == 0) {
      db_.execute(kJournalSchema);
      db_.execute("PRAGMA user_version=" + std::to_string(kJournalVersion));
    }
  });
}

bool Journal::add_instance(const InstanceRow& i) {
  const std::lock_guard lock(mutex_);
  bool added = false;
  db_.transaction([&] {
    Query(db_, "INSERT INTO studies(study, caller, last_id, last_at) VALUES(?, ?, 0, 0) ON CONFLICT DO NOTHING").bind(i.study).bind(i.caller).run();
    Query(db_, "INSERT INTO instances(study, series, sop, sop_class, bytes) VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(i.study)
        .bind(i.series)
        .bind(i.sop)
        .bind(i.sop_class)
        .bind(i.bytes)
        .run();
    added = db_.changes() > 0;
    if (added)
      Query(db_, "UPDATE studies SET last_id = ?, last_at = ?, caller = ?, broken = 1 WHERE study = ?")
          .bind(db_.last_id())
          .bind(now())
          .bind(i.caller)
          .bind(i.study)
          .run();
  });
  return added;
}

bool Journal::has_instance(const std::string& study, const std::string& series, const std::string& sop) {
  const std::lock_guard lock(mutex_);
  return Query(db_, "SELECT 1 FROM instances WHERE study = ? AND series = ? AND sop = ?").bind(study).bind(series).bind(sop).next();
}

std::int64_t Journal::stored_bytes() {
  const std::lock_guard lock(mutex_);
  Query sum(db_, "SELECT coalesce(sum(bytes), 0) FROM instances");
  sum.next();
  return sum.number(0);
}

void Journal::delivered(const std::string& study) {
  const std::lock_guard lock(mutex_);
  Query(db_, "UPDATE studies SET broken = 0 WHERE study = ? AND broken").bind(study).run();
}

std::vector<StudyRow> Journal::complete_studies(const std::string& rule, Time before, Time broken_before) {
  const std::lock_guard lock(mutex_);
  Query query(db_,
              "SELECT s.study, caller, last_id, last_at FROM studies s LEFT JOIN looked l ON l.study = s.study AND l.rule = ?2 "
              "WHERE last_id > coalesce(upto, 0) AND last_at <= CASE WHEN broken THEN ?3 ELSE ?1 END ORDER BY last_at LIMIT 100");
  query.bind(before).bind(rule).bind(broken_before);
  std::vector<StudyRow> out;
  while (query.next()) out.push_back({query.text(0), query.text(1), query.number(2), query.number(3)});
  return out;
}

std::string Journal::chosen_series(const std::string& study, const std::string& rule) {
  const std::lock_guard lock(mutex_);
  Query query(db_, "SELECT series FROM jobs WHERE study = ? AND rule = ? AND series <> '' ORDER BY id LIMIT 1");
  return query.bind(study).bind(rule).next() ? query.text(0) : "";
}

void Journal::looked(const StudyRow& study, const std::string& rule) {
  const std::lock_guard lock(mutex_);
  put_looked(study, rule);
}

void Journal::put_looked(const StudyRow& study, const std::string& rule) {
  Query(db_, "INSERT INTO looked VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET upto = excluded.upto")
      .bind(study.study)
      .bind(rule)
      .bind(study.last_id)
      .run();
}

bool Journal::add_job(const StudyRow& study, const std::string& rule, const std::string& series, const std::string& digest) {
  const std::lock_guard lock(mutex_);
  bool added = false;
  db_.transaction([&] {
    Query(db_,
          "INSERT INTO jobs(study, rule, series, digest, state, created, changed) VALUES(?1, ?2, ?3, ?4, 'queued', ?5, ?5) ON CONFLICT DO NOTHING")
        .bind(study.study)
        .bind(rule)
        .bind(series)
        .bind(digest)
        .bind(now())
        .run();
    added = db_.changes() > 0;
    if (added)
      Query(db_,
            "UPDATE jobs SET state = 'superseded', error = 'more instances of the series came', changed = ?1 "
            "WHERE study = ?2 AND rule = ?3 AND series IN (?4, '') AND id <> ?5 AND (state IN ('queued', 'running') OR (state = 'failed' AND "
            "NOT EXISTS(SELECT 1 FROM results WHERE job = jobs.id)))")
          .bind(now())
          .bind(study.study)
          .bind(rule)
          .bind(series)
          .bind(db_.last_id())
          .run();
    put_looked(study, rule);
  });
  return added;
}

void Journal::add_unusable(const StudyRow& study, const std::string& rule, const std::string& why) {
  const std::lock_guard lock(mutex_);
  db_.transaction([&] {
    Query(db_,
          "INSERT INTO jobs(study, rule, series, digest, state, error, created, changed) VALUES(?1, ?2, '', '', 'failed', ?3, ?4, ?4) "
          "ON CONFLICT DO UPDATE SET state = 'failed', error = excluded.error, changed = excluded.changed")
        .bind(study.study)
        .bind(rule)
        .bind(why)
        .bind(now())
        .run();
    put_looked(study, rule);
  });
}

std::vector<std::string> Journal::old_studies(Time before) {
  const std::lock_guard lock(mutex_);
  Query query(db_,
              "SELECT study FROM studies WHERE last_at <= ?1 AND NOT EXISTS(SELECT 1 FROM jobs WHERE jobs.study = studies.study AND "
              "(state IN ('queued', 'running', 'sending') OR changed > ?1)) LIMIT 1000");
  query.bind(before);
  std::vector<std::string> out;
  while (query.next()) out.push_back(query.text(0));
  return out;
}

void Journal::forget(const std::string& study) {
  const std::lock_guard lock(mutex_);
  db_.transaction([&] {
    Query(db_, "DELETE FROM results WHERE job IN (SELECT id FROM jobs WHERE study = ?)").bind(study).run();
    Query(db_, "DELETE FROM instances WHERE study = ?").bind(study).run();
    Query(db_, "DELETE FROM studies WHERE study = ?").bind(study).run();
    Query(db_, "DELETE FROM looked WHERE study = ?").bind(study).run();
  });
}

}  // namespace vesal::dicom
