#include "server/jobs.h"

#include "base/cancel.h"
#include "base/error.h"
#include "base/json.h"
#include "server/route.h"
#include "server/secrets.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

constexpr int kMostInterruptions = 5;

constexpr const char* kColumns =
    "SELECT j.id, j.state, j.model, j.series, j.upload, u.name, j.error, j.error_kind, j.shared, j.report, j.created, j.started, j.finished, "
    "j.user, owner.name FROM job j JOIN upload u ON u.id = j.upload JOIN user owner ON owner.id = j.user ";

Error missing() { return Error(ErrorKind::not_found, "there is no such job"); }

Value time_or_none(std::int64_t at) { return at == 0 ? Value() : Value(at); }

Dict described(const Query& row, std::int64_t user, const Live& live, const Store& store) {
  const JobState now = live.of(row.text(0));
  Dict out{{"id", row.text(0)},
           {"state", row.text(1)},
           {"model", row.text(2)},
           {"series", row.text(3)},
           {"upload", row.text(4)},
           {"name", row.text(5)},
           {"owner", row.text(14)},
           {"mine", row.number(13) == user},
           {"shared", row.number(8) != 0},
           {"created", row.number(10)},
           {"started", time_or_none(row.number(11))},
           {"finished", time_or_none(row.number(12))}};
  out["error"] = row.text(6).empty() ? Value() : Value(row.text(6));
  out["error_kind"] = row.text(7).empty() ? Value() : Value(row.text(7));
  std::error_code ignored;
  out["corrected"] = fs::is_regular_file(store.jobs() / row.text(0) / "correction.nii.gz", ignored);
  out["stage"] = now.stage;
  out["progress"] = row.text(1) == "done" ? 1.0 : now.progress;
  out["seconds_left"] = now.seconds_left < 0 ? Value() : Value(now.seconds_left);
  out["report"] = row.text(9).empty() ? Value() : parse_json(row.text(9));
  return out;
}

}  // namespace

std::string Jobs::add(std::int64_t user, const std::string& upload, const std::string& model, const std::string& series) {
  const std::string id = random_hex(16);
  store_.change([&](Database& db) {
    Query row(db, "SELECT complete FROM upload WHERE id = ? AND user = ?");
    if (!row.bind(upload).bind(user).next()) throw Error(ErrorKind::not_found, "there is no such upload");
    if (row.number(0) == 0) throw HttpError(409, "conflict", "the upload is not complete");
    Query(db, "INSERT INTO job (id, user, upload, model, series, state, created) VALUES (?, ?, ?, ?, ?, 'queued', ?)")
        .bind(id)
        .bind(user)
        .bind(upload)
        .bind(model)
        .bind(series)
        .bind(now())
        .run();
  });
  tell(id, "queued");
  return id;
}

std::vector<Dict> Jobs::list(std::int64_t user) {
  return store_.look([&](Database& db) {
    std::vector<Dict> out;
    Query row(db, std::string(kColumns) + "WHERE j.user = ? OR j.shared = 1 ORDER BY j.created DESC, j.id LIMIT 1000");
    row.bind(user);
    while (row.next()) out.push_back(described(row, user, live_, store_));
    return out;
  });
}

Dict Jobs::describe(std::int64_t user, const std::string& id) {
  return store_.look([&](Database& db) {
    Query row(db, std::string(kColumns) + "WHERE j.id = ? AND (j.user = ? OR j.shared = 1)");
    if (!row.bind(id).bind(user).next()) throw missing();
    return described(row, user, live_, store_);
  });
}

bool Jobs::visible(std::int64_t user, const std::string& id) {
  return store_.look(
      [&](Database& db) { return Query(db, "SELECT 1 FROM job WHERE id = ? AND (user = ? OR shared = 1)").bind(id).bind(user).next(); });
}

JobRow Jobs::row(std::int64_t user, const std::string& id, bool own) {
  return store_.look([&](Database& db) {
    Query row(db, "SELECT id, upload, model, series, state, user FROM job WHERE id = ? AND (user = ? OR (shared = 1 AND ? = 0))");
    if (!row.bind(id).bind(user).bind(own ? 1 : 0).next()) throw missing();
    return JobRow{row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5), row.number(5) == user};
  });
}

void Jobs::share(std::int64_t user, const std::string& id, bool shared) {
  row(user, id, true);
  store_.change([&](Database& db) { Query(db, "UPDATE job SET shared = ? WHERE id = ?").bind(shared ? 1 : 0).bind(id).run(); });
}

void Jobs::cancel(std::int64_t user, const std::string& id) {
  row(user, id, true);
  const bool queued = store_.change([&](Database& db) {
    Query(db, "UPDATE job SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'").bind(now()).bind(id).run();
    return db.changes() > 0;
  });
  if (queued) return tell(id, "cancelled");
  const std::lock_guard lock(mutex_);  // the worker takes the wish back under it, before the next job
  if (row(user, id, true).state != "running") throw HttpError(409, "conflict", "the job has ended");
  stop_ = id;
  cancel_work(true);
}

void Jobs::retry(std::int64_t user, const std::string& id) {
  row(user, id, true);
  store_.change([&](Database& db) {
    Query(db,
          "UPDATE job SET state = 'queued', error = '', error_kind = '', interruptions = 0, started = 0, finished = 0 "
          "WHERE id = ? AND state IN ('failed', 'cancelled')")
        .bind(id)
        .run();
    if (db.changes() == 0) throw HttpError(409, "conflict", "only a job that failed or was cancelled can be tried again");
  });
  tell(id, "queued");
}

void Jobs::remove(std::int64_t user, const std::string& id) {
  row(user, id, true);
  store_.change([&](Database& db) {
    Query(db, "DELETE FROM job WHERE id = ? AND state <> 'running'").bind(id).run();
    if (db.changes() == 0) throw HttpError(409, "conflict", "the job is running; please cancel it first");
  });
  live_.forget(id);
  std::error_code ignored;  // files without a row do no harm
  fs::remove_all(folder(id), ignored);
}

std::optional<JobRow> Jobs::take() {
  auto job = store_.change([&](Database& db) -> std::optional<JobRow> {
    Query row(db, "SELECT id, upload, model, series, user FROM job WHERE state = 'queued' ORDER BY priority DESC, created, id LIMIT 1");
    if (!row.next()) return std::nullopt;
    JobRow out{row.text(0), row.text(1), row.text(2), row.text(3), "running", row.number(4), true};
    Query(db, "UPDATE job SET state = 'running', started = ? WHERE id = ?").bind(now()).bind(out.id).run();
    return out;
  });
  if (job) tell(job->id, "running");
  return job;
}

void Jobs::set_state(Database& db, const std::string& id, const std::string& state) {
  Query(db, "UPDATE job SET state = ?, finished = ? WHERE id = ? AND state = 'running'").bind(state).bind(now()).bind(id).run();
}

void Jobs::done(const std::string& id, const std::string& report) {
  store_.change([&](Database& db) {
    set_state(db, id, "done");
    Query(db, "UPDATE job SET report = ? WHERE id = ?").bind(report).bind(id).run();
  });
  tell(id, "done");
}

void Jobs::failed(const std::string& id, const std::string& why, const std::string& kind) {
  store_.change([&](Database& db) {
    set_state(db, id, "failed");
    Query(db, "UPDATE job SET error = ?, error_kind = ? WHERE id = ?").bind(why).bind(kind).bind(id).run();
  });
  tell(id, "failed");
}

void Jobs::cancelled(const std::string& id) {
  store_.change([&](Database& db) { set_state(db, id, "cancelled"); });
  tell(id, "cancelled");
}

void Jobs::put_back(const std::string& id) {
  store_.change([&](Database& db) { Query(db, "UPDATE job SET state = 'queued', started = 0 WHERE id = ? AND state = 'running'").bind(id).run(); });
}

bool Jobs::stop_wanted(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return stop_ == id;
}

void Jobs::stop_heard() {
  const std::lock_guard lock(mutex_);
  stop_.clear();
  cancel_work(false);
}

void Jobs::recover() {
  store_.change([](Database& db) {
    Query(db, "UPDATE job SET interruptions = interruptions + 1, started = 0, state = 'queued' WHERE state = 'running'").run();
    Query(db,
          "UPDATE job SET state = 'failed', finished = ?, error_kind = 'internal', error = 'the server ended in the middle of this job, again and "
          "again' WHERE state = 'queued' AND interruptions > ?")
        .bind(now())
        .bind(kMostInterruptions)
        .run();
  });
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(store_.jobs(), ec))
    if (entry.path().extension() == ".part") fs::remove_all(entry.path(), ec);
}

std::vector<std::pair<std::string, std::int64_t>> Jobs::counts() {
  return store_.look([](Database& db) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (const char* state : {"queued", "running", "done", "failed", "cancelled"}) {
      Query row(db, "SELECT count(*) FROM job WHERE state = ?");
      row.bind(state).next();
      out.emplace_back(state, row.number(0));
    }
    return out;
  });
}

}  // namespace vesal::server
