#include "dicom/served_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace vesal::dicom {
namespace fs = std::filesystem;

ServedFolder::ServedFolder(const fs::path& folder, std::initializer_list<const char*> inside, const std::string& advice) {
  std::error_code ec;
  for (const char* name : inside) {
    fs::create_directories(folder / name, ec);
    if (ec) throw Error(ErrorKind::io, "making folder " + (folder / name).string() + ": " + ec.message());
  }
  // Patients' data: nobody else on this machine reads them.
  fs::permissions(folder, fs::perms::owner_all, ec);
  path_ = fs::absolute(folder).lexically_normal();
  const fs::path file = path_ / "lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) throw Error(ErrorKind::io, "opening " + file.string() + ": " + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw Error(ErrorKind::usage, "another vesal serves " + file.parent_path().string() + "; " + advice);
  }
}

ServedFolder::~ServedFolder() { ::close(lock_); }

}  // namespace vesal::dicom
