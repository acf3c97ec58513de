#include "dicom/sqlite.h"

#include <sqlite3.h>

#include "base/error.h"

namespace vesal::dicom {

Database::Database(const std::filesystem::path& file) : name_(file.string()) {
  if (sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr) != SQLITE_OK) {
    const std::string why = db_ ? sqlite3_errmsg(db_) : "no memory";
    sqlite3_close_v2(db_);
    throw Error(ErrorKind::io, "opening " + name_ + ": " + why);
  }
  sqlite3_busy_timeout(db_, 10'000);  // another process lists or retries jobs
  try {
    // FULL: a commit is on the disk before it returns, as what it says is acknowledged to the sender next. NORMAL would lose the last ones
    // when the power fails.
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF");
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Database::~Database() { sqlite3_close_v2(db_); }

void Database::fail(const std::string& what) const { throw Error(ErrorKind::io, name_ + ": " + what + sqlite3_errmsg(db_)); }

void Database::execute(const std::string& statements) {
  if (sqlite3_exec(db_, statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("");
}

void Database::transaction(const std::function<void()>& work) {
  execute("BEGIN IMMEDIATE");
  try {
    work();
    execute("COMMIT");
  } catch (...) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(db_); }
std::int64_t Database::changes() const { return sqlite3_changes(db_); }

Query::Query(const Database& database, std::string_view text) : db_(database.handle()) {
  check(sqlite3_prepare_v2(db_, text.data(), static_cast<int>(text.size()), &statement_, nullptr));
}

Query::~Query() { sqlite3_finalize(statement_); }

void Query::check(int code) const {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
    const char* file = sqlite3_db_filename(db_, nullptr);
    throw Error(ErrorKind::io, std::string(file ? file : "database") + ": " + sqlite3_errmsg(db_));
  }
}

Query& Query::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Query& Query::bind(std::string_view value) {
  check(sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT));
  return *this;
}

bool Query::next() {
  const int code = sqlite3_step(statement_);
  check(code);
  return code == SQLITE_ROW;
}

void Query::run() {
  while (next()) {}
}

std::int64_t Query::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Query::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

}  // namespace vesal::dicom
