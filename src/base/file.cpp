#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace vesal {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const std::string& what, const fs::path& path, int error) {
  const ErrorKind kind = error == ENOENT || error == ENOTDIR ? ErrorKind::not_found : ErrorKind::io;
  throw Error(kind, what + " " + path.string() + ": " + std::strerror(error));
}

struct Descriptor {
  int fd;
  explicit Descriptor(const fs::path& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe would wait for its writer
    if (fd < 0) fail("opening", path, errno);
  }
  ~Descriptor() { ::close(fd); }
};

template <class Container>
Container read_whole(const fs::path& path, std::uint64_t limit) {
  const Descriptor file(path);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) fail("reading", path, errno);
  if (!S_ISREG(info.st_mode))
    throw Error(ErrorKind::io, "reading " + path.string() + (S_ISDIR(info.st_mode) ? ": it is a folder" : ": not a regular file"));
  if (static_cast<std::uint64_t>(info.st_size) > limit)
    throw Error(ErrorKind::memory,
                "reading " + path.string() + ": " + std::to_string(info.st_size) + " bytes, at most " + std::to_string(limit) + " are taken");
  Container out;
  out.resize(static_cast<std::size_t>(info.st_size));
  std::size_t at = 0;
  while (at < out.size()) {
    const ssize_t n = ::read(file.fd, out.data() + at, out.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("reading", path, errno);
    if (n == 0) break;
    at += static_cast<std::size_t>(n);
  }
  out.resize(at);
  return out;
}

}  // namespace

std::string read_text(const fs::path& path, std::uint64_t limit) { return read_whole<std::string>(path, limit); }
std::vector<std::byte> read_bytes(const fs::path& path, std::uint64_t limit) { return read_whole<std::vector<std::byte>>(path, limit); }

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) fail("reading", path, errno);
  if (!S_ISREG(info.st_mode))
    throw Error(ErrorKind::io, "reading " + path.string() + (S_ISDIR(info.st_mode) ? ": it is a folder" : ": not a regular file"));
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    fail("mapping", path, errno);
  }
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  static std::atomic<unsigned> serial{0};
  std::error_code ec;
  const fs::path folder = path_.parent_path();
  if (!folder.empty()) {
    fs::create_directories(folder, ec);
    if (ec) throw Error(ErrorKind::io, "making folder " + folder.string() + ": " + ec.message());
  }
  if (fs::is_directory(path_, ec)) throw Error(ErrorKind::io, "writing " + path_.string() + ": it is a folder");
  temporary_ = folder / (".part-" + std::to_string(::getpid()) + "-" + std::to_string(serial++) + "-" + path_.filename().string());
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("writing", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* p = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd_, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("writing", path_, errno);
    p += n;
    size -= static_cast<std::size_t>(n);
  }
}

void AtomicFile::commit() {
  const int result = ::close(fd_);
  fd_ = -1;
  if (result != 0) fail("writing", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("writing", path_, errno);
  committed_ = true;
}

void write_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

fs::path inside(const fs::path& root, const fs::path& relative) {
  const fs::path clean = relative.lexically_normal();
  if (relative.is_absolute() || (!clean.empty() && *clean.begin() == ".."))
    throw Error(ErrorKind::refused, "path '" + relative.string() + "' leaves its folder");
  return root / clean;
}

}  // namespace vesal
