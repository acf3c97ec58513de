#include "tune/durable.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/cancel.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

/// What must stay free on the disk after a copy.
constexpr std::uint64_t kSpare = 16ull << 20;

struct Found {
  fs::path real;
  std::string relative;
  std::uint64_t bytes;
};

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

/// The files below a folder, links followed as long as they stay inside.
std::vector<Found> files_in(const fs::path& folder) {
  std::error_code ec;
  const fs::path root = fs::canonical(folder, ec);
  if (ec) throw Error(ErrorKind::not_found, folder.string() + ": " + ec.message());
  std::vector<Found> out;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    check_cancelled();
    if (entry.is_directory() && !entry.is_symlink()) continue;
    if (entry.path().filename().string().starts_with(".part-")) continue;  // of a writer that was killed
    const std::string relative = entry.path().lexically_relative(root).generic_string();
    const fs::path real = fs::canonical(entry.path(), ec);
    if (ec || !fs::is_regular_file(real, ec)) throw Error(ErrorKind::refused, (folder / relative).string() + ": neither a file nor a folder");
    if (!lies_in(real, root))
      throw Error(ErrorKind::refused, (folder / relative).string() + " is a link out of its folder; copy the bundle with `cp -rL` first");
    out.push_back({real, relative, fs::file_size(real)});
  }
  std::sort(out.begin(), out.end(), [](const Found& a, const Found& b) { return a.relative < b.relative; });
  return out;
}

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) sync_path(entry.path());
  sync_path(folder);
}

}  // namespace

void sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && (::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP);  // some file systems cannot for folders
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!done) throw Error(ErrorKind::io, "writing " + path.string() + " to the disk: " + std::strerror(error));
}

void write_durably(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  sync_path(file.temporary());
  file.commit();
  sync_path(path.parent_path());
}

void rename_durably(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  fs::rename(from, to, ec);
  if (ec) throw Error(ErrorKind::io, "renaming " + from.string() + " to " + to.string() + ": " + ec.message());
  sync_path(to.parent_path());
}

std::vector<HashedFile> hash_files(const fs::path& folder) {
  std::vector<HashedFile> out;
  for (const Found& f : files_in(folder)) out.push_back({f.relative, f.bytes, sha256_file(f.real)});
  return out;
}

void copy_files(const fs::path& from, const fs::path& to) {
  const std::vector<Found> files = files_in(from);
  std::uint64_t bytes = kSpare;
  for (const Found& f : files) bytes += f.bytes;
  std::error_code ec;
  fs::create_directories(to, ec);
  if (ec) throw Error(ErrorKind::io, "making folder " + to.string() + ": " + ec.message());
  if (const fs::space_info room = fs::space(to, ec); !ec && room.available < bytes)
    throw Error(ErrorKind::io, fmt::format("{}: the disk has {} MB free, {} MB are needed", to.string(), room.available >> 20, bytes >> 20));
  for (const Found& f : files) {
    check_cancelled();
    const fs::path target = inside(to, f.relative);
    fs::create_directories(target.parent_path(), ec);
    if (!ec) fs::copy_file(f.real, target, ec);
    if (!ec) fs::permissions(target, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read, ec);
    if (ec) throw Error(ErrorKind::io, "copying " + f.real.string() + " to " + target.string() + ": " + ec.message());
  }
  sync_tree(to);
}

std::function<void(std::string_view)>& step_hook() {
  static std::function<void(std::string_view)> hook;
  return hook;
}

void step(std::string_view name) {
  if (step_hook()) step_hook()(name);
}

}  // namespace vesal::tune
