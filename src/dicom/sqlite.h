// SQLite with errors as ours: a connection, statements, transactions. What is bound is never part of the text of a statement.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace vesal::dicom {

/// Not thread safe: whoever shares one guards it.
class Database {
 public:
  /// Opens or makes the file: write-ahead log, every commit on the disk before it returns. Throws Error(io).
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Statements without parameters and results. Throws Error(io) with SQLite's words.
  void execute(const std::string& statements);
  /// All of `work` or nothing of it; what it throws leaves after the roll-back.
  void transaction(const std::function<void()>& work);
  std::int64_t last_id() const;
  std::int64_t changes() const;  ///< rows that the last statement changed
  sqlite3* handle() const { return db_; }

 private:
  [[noreturn]] void fail(const std::string& what) const;
  sqlite3* db_ = nullptr;
  std::string name_;
};

/// One statement; parameters are bound in their order, rows are walked by next().
class Query {
 public:
  Query(const Database& database, std::string_view text);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::int64_t value);
  Query& bind(std::string_view value);
  /// Whether there is a row now. Throws Error(io).
  bool next();
  /// Of a statement without rows.
  void run();
  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  void check(int code) const;
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace vesal::dicom
