// A lock between processes: the system lets go of it when its holder ends, however it ends.
#pragma once
#include <filesystem>
#include <string>

namespace vesal::tune {

class FileLock {
 public:
  /// Waits up to `seconds` for others. Throws Error(io) saying who holds it and for what; Error(cancelled).
  FileLock(std::filesystem::path file, const std::string& purpose, double seconds);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace vesal::tune
