#include "server/uploads.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "server/secrets.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostFiles = 20'000;

struct SentFile {
  std::string path, stored;
  std::int64_t bytes = 0;
};

/// Endings by which readers tell formats; all else is told by content.
std::string known_ending(const std::string& path) {
  const std::string name = lower(path);
  for (const char* ending : {".nii.gz", ".nii", ".nrrd", ".mha", ".npy", ".png", ".zip", ".dcm"})
    if (name.ends_with(ending)) return ending;
  return "";
}

void check_name(const std::string& path) {
  const auto bad = [](unsigned char c) { return c < 32 || c == 127 || c == '\\'; };
  const std::string padded = "/" + path + "/";
  if (path.empty() || path.size() > 1000 || path[0] == '/' || std::any_of(path.begin(), path.end(), bad) ||
      padded.find("/../") != std::string::npos || padded.find("//") != std::string::npos)
    throw Error(ErrorKind::usage, "'path' has to be a relative path without '..', '\\' and control characters, of 1000 bytes at most");
}

std::uint64_t there(const fs::path& file) {
  std::error_code ec;
  const auto size = fs::file_size(file, ec);
  return ec ? 0 : size;
}

/// An open file at an offset.
class Writer {
 public:
  Writer(const fs::path& file, std::uint64_t offset) : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)), at_(offset) {
    if (fd_ < 0) fail();
  }
  ~Writer() { ::close(fd_); }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at_));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail();
      at_ += static_cast<std::uint64_t>(n);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void sync() {
    if (::fdatasync(fd_) != 0) fail();
  }
  std::uint64_t at() const { return at_; }

 private:
  [[noreturn]] static void fail() {
    if (errno == ENOSPC || errno == EDQUOT) throw HttpError(507, "disk-full", "the server's disk is full");
    throw Error(ErrorKind::io, std::string("writing an upload: ") + std::strerror(errno));
  }
  int fd_;
  std::uint64_t at_;
};

}  // namespace

std::string Uploads::begin(std::int64_t user, const std::string& name, const std::vector<Value>& files) {
  if (files.empty() || files.size() > kMostFiles) throw Error(ErrorKind::usage, "an upload has 1 to 20000 files");
  std::vector<SentFile> rows;
  std::uint64_t total = 0;
  for (const Value& file : files) {
    if (!file.is_dict()) throw Error(ErrorKind::usage, "'files' holds objects with 'path' and 'size'");
    const std::string path = text_of(file.as_dict(), "path", 1000);
    check_name(path);
    const Value* size = file.as_dict().find("size");
    if (!size || !size->is_int() || size->as_int() < 1) throw Error(ErrorKind::usage, "'size' has to be a number of bytes from 1 on");
    if (static_cast<std::uint64_t>(size->as_int()) > most_file_)
      throw HttpError(413, "too-large", "a file may have " + std::to_string(most_file_) + " bytes at most");
    total += static_cast<std::uint64_t>(size->as_int());
    rows.push_back({path, std::to_string(rows.size()) + known_ending(path), size->as_int()});
  }
  if (total > store_.free_bytes()) throw HttpError(507, "disk-full", "the server's disk does not hold so much");
  const std::string id = random_hex(16);
  store_.change([&](Database& db) {
    Query used(db, "SELECT coalesce(sum(bytes), 0) FROM upload WHERE user = ?");
    used.bind(user).next();
    if (total > quota_ || static_cast<std::uint64_t>(used.number(0)) > quota_ - total)
      throw HttpError(413, "quota", "your uploads would take more than " + std::to_string(quota_) + " bytes; please remove some first");
    Query(db, "INSERT INTO upload (id, user, name, bytes, created) VALUES (?, ?, ?, ?, ?)")
        .bind(id)
        .bind(user)
        .bind(name)
        .bind(static_cast<std::int64_t>(total))
        .bind(now())
        .run();
    std::int64_t n = 0;
    for (const SentFile& row : rows)
      Query(db, "INSERT INTO upload_file (upload, n, path, stored, bytes) VALUES (?, ?, ?, ?, ?)")
          .bind(id)
          .bind(n++)
          .bind(row.path)
          .bind(row.stored)
          .bind(row.bytes)
          .run();
    std::error_code ec;
    fs::create_directory(store_.uploads() / id, ec);
    if (ec) throw Error(ErrorKind::io, "making a folder for an upload: " + ec.message());
  });
  return id;
}

void Uploads::check_owner(Database& db, std::int64_t user, const std::string& id) {
  if (!Query(db, "SELECT 1 FROM upload WHERE id = ? AND user = ?").bind(id).bind(user).next())
    throw Error(ErrorKind::not_found, "there is no such upload");
}

std::uint64_t Uploads::put(std::int64_t user, const std::string& id, std::int64_t n, std::uint64_t offset, const Request& request) {
  const SentFile sent = store_.look([&](Database& db) {
    Query row(
        db,
        "SELECT f.path, f.stored, f.bytes, u.complete FROM upload_file f JOIN upload u ON u.id = f.upload WHERE u.id = ? AND u.user = ? AND f.n = ?");
    if (!row.bind(id).bind(user).bind(n).next()) throw Error(ErrorKind::not_found, "there is no such file of an upload");
    if (row.number(3) != 0) throw HttpError(409, "conflict", "the upload is complete");
    return SentFile{row.text(0), row.text(1), row.number(2)};
  });
  const auto key = std::pair(id, n);
  {
    const std::lock_guard lock(mutex_);
    if (!coming_.insert(key).second) throw HttpError(409, "conflict", "another piece of this file is coming");
  }
  struct Gone {
    Uploads& uploads;
    const std::pair<std::string, std::int64_t>& key;
    ~Gone() {
      const std::lock_guard lock(uploads.mutex_);
      uploads.coming_.erase(key);
    }
  } const gone{*this, key};
  const fs::path file = store_.uploads() / id / sent.stored;
  const auto size = static_cast<std::uint64_t>(sent.bytes);
  if (offset != there(file))
    throw HttpError(409, "conflict", "the piece does not start where the file ends", Dict{{"there", static_cast<std::int64_t>(there(file))}});
  const HttpError too_large(413, "too-large", "the file would be larger than was said");
  if (request.length > size - offset) throw too_large;
  if (store_.free_bytes() < request.length) throw HttpError(507, "disk-full", "the server's disk is full");
  Writer writer(file, offset);
  std::exception_ptr failed;
  // What is thrown must not pass through the HTTP library.
  request.read_body([&](std::string_view piece) {
    try {
      if (piece.size() > size - writer.at()) throw too_large;
      writer.write(piece);
      return true;
    } catch (...) {
      failed = std::current_exception();
      return false;
    }
  });
  if (failed) std::rethrow_exception(failed);
  if (writer.at() == size) writer.sync();
  return writer.at();  // of a body that broke off what did come is kept
}

Dict Uploads::describe(std::int64_t user, const std::string& id) {
  return store_.look([&](Database& db) {
    Query row(db, "SELECT name, bytes, complete, created FROM upload WHERE id = ? AND user = ?");
    if (!row.bind(id).bind(user).next()) throw Error(ErrorKind::not_found, "there is no such upload");
    List files;
    Query file(db, "SELECT n, path, stored, bytes FROM upload_file WHERE upload = ? ORDER BY n");
    file.bind(id);
    while (file.next())
      files.items.push_back(Dict{{"n", file.number(0)},
                                 {"path", file.text(1)},
                                 {"size", file.number(3)},
                                 {"there", static_cast<std::int64_t>(there(store_.uploads() / id / file.text(2)))}});
    return Dict{{"id", id},      {"name", row.text(0)}, {"bytes", row.number(1)}, {"complete", row.number(2) != 0}, {"created", row.number(3)},
                {"files", files}};
  });
}

std::vector<Dict> Uploads::list(std::int64_t user) {
  return store_.look([&](Database& db) {
    std::vector<Dict> out;
    Query row(db, "SELECT id, name, bytes, complete, created FROM upload WHERE user = ? ORDER BY created DESC LIMIT 1000");
    row.bind(user);
    while (row.next())
      out.push_back(
          {{"id", row.text(0)}, {"name", row.text(1)}, {"bytes", row.number(2)}, {"complete", row.number(3) != 0}, {"created", row.number(4)}});
    return out;
  });
}

void Uploads::complete(std::int64_t user, const std::string& id) {
  store_.change([&](Database& db) {
    check_owner(db, user, id);
    Query file(db, "SELECT path, stored, bytes FROM upload_file WHERE upload = ? ORDER BY n");
    file.bind(id);
    while (file.next())
      if (there(store_.uploads() / id / file.text(1)) != static_cast<std::uint64_t>(file.number(2)))
        throw HttpError(409, "conflict", "not all of '" + file.text(0) + "' is there");
    Query(db, "UPDATE upload SET complete = 1 WHERE id = ?").bind(id).run();
  });
}

void Uploads::remove(std::int64_t user, const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (std::any_of(coming_.begin(), coming_.end(), [&](const auto& c) { return c.first == id; }))
      throw HttpError(409, "conflict", "a piece of this upload is coming");
  }
  store_.change([&](Database& db) {
    check_owner(db, user, id);
    if (Query(db, "SELECT 1 FROM job WHERE upload = ?").bind(id).next()) throw HttpError(409, "conflict", "jobs use this upload; remove them first");
    Query(db, "DELETE FROM upload WHERE id = ?").bind(id).run();
  });
  std::error_code ignored;  // files without a row do no harm
  fs::remove_all(store_.uploads() / id, ignored);
}

fs::path Uploads::scan_of(const std::string& id) {
  return store_.look([&](Database& db) {
    Query row(db, "SELECT count(*), min(stored) FROM upload_file WHERE upload = ?");
    row.bind(id).next();
    const fs::path folder = store_.uploads() / id;
    return row.number(0) == 1 ? folder / row.text(1) : folder;
  });
}

}  // namespace vesal::server
