#include "server/store.h"

#include <chrono>

#include "base/error.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, role TEXT NOT NULL,
  must_change INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS session (hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id), csrf TEXT NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS token (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user INTEGER NOT NULL REFERENCES user(id), name TEXT NOT NULL,
  created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS upload (id TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id), name TEXT NOT NULL, bytes INTEGER NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS upload_file (upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, n INTEGER NOT NULL, path TEXT NOT NULL,
  stored TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (upload, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id), upload TEXT NOT NULL REFERENCES upload(id),
  model TEXT NOT NULL, series TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', error_kind TEXT NOT NULL DEFAULT '',
  interruptions INTEGER NOT NULL DEFAULT 0, priority INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 0, report TEXT NOT NULL DEFAULT '',
  created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS job_state ON job(state, priority, created);
CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user TEXT NOT NULL, peer TEXT NOT NULL, action TEXT NOT NULL,
  object TEXT NOT NULL, outcome INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
)";

}  // namespace

Time now() { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

fs::path database_file(const fs::path& folder) { return folder / "server.sqlite"; }

Store::Store(const fs::path& folder)
    : served_(folder, {"uploads", "jobs"}, "give this one a --data of its own"), folder_(served_.path()), database_(database_file(folder_)) {
  database_.execute(kSchema);
}

std::string Store::without_paths(std::string words) const {
  const std::string path = folder_.string() + "/";
  for (std::size_t at; (at = words.find(path)) != std::string::npos;) words.erase(at, path.size());
  return words;
}

std::uint64_t Store::free_bytes() const {
  constexpr std::uint64_t kReserve = 256ull << 20;
  std::error_code ec;
  const auto space = fs::space(folder_, ec);
  if (ec) throw Error(ErrorKind::io, "asking for the space in " + folder_.string() + ": " + ec.message());
  return space.available > kReserve ? space.available - kReserve : 0;
}

}  // namespace vesal::server
