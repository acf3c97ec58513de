// A folder that one process serves from: patients' data, for its owner alone.
#pragma once
#include <filesystem>
#include <initializer_list>
#include <string>

namespace vesal::dicom {

/// Held from construction to destruction; the system lets go of it when the process ends, however it ends.
class ServedFolder {
 public:
  /// Makes it and the folders in it, closes it to others, locks FOLDER/lock. Throws Error(io), and Error(usage) that ends with `advice` if another
  /// process holds it.
  ServedFolder(const std::filesystem::path& folder, std::initializer_list<const char*> inside, const std::string& advice);
  ~ServedFolder();
  ServedFolder(const ServedFolder&) = delete;
  ServedFolder& operator=(const ServedFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }  ///< absolute

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace vesal::dicom
