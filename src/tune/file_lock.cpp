#include "tune/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/cancel.h"
#include "base/error.h"
#include "base/file.h"

namespace vesal::tune {
namespace {

std::string holder(const std::filesystem::path& file) {
  try {
    const std::string text = read_text(file, 4096);
    return text.substr(0, text.find('\n'));
  } catch (const Error&) { return "another process"; }
}

}  // namespace

FileLock::FileLock(std::filesystem::path file, const std::string& purpose, double seconds)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664)) {
  if (fd_ < 0) throw Error(ErrorKind::io, "locking " + file.string() + ": " + std::strerror(errno));
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    std::string why;
    if (error != EWOULDBLOCK && error != EINTR) why = std::strerror(error);
    else if (std::chrono::steady_clock::now() >= end) why = "held by " + holder(file) + "; try again when it has ended";
    if (!why.empty()) {
      ::close(fd_);
      throw Error(ErrorKind::io, "locking " + file.parent_path().string() + ": " + why);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (cancel_requested()) {
      ::close(fd_);
      check_cancelled();
    }
  }
  const std::string text = "process " + std::to_string(::getpid()) + " (" + purpose + ")\n";
  if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, text.data(), text.size(), 0);  // only for people to read
}

FileLock::~FileLock() {
  (void)!::ftruncate(fd_, 0);
  ::close(fd_);
}

}  // namespace vesal::tune
