// Where tests find their data.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace vesal::tests {

inline std::filesystem::path source_dir() { return VESAL_SOURCE_DIR; }
/// tests/<folder>/data/...
inline std::filesystem::path data(const std::string& relative) { return source_dir() / "tests" / relative; }
/// Real scans beside the project; may be absent.
inline std::filesystem::path shared(const std::string& relative) { return source_dir() / ".." / "shared" / "data" / relative; }

/// A fresh folder, removed at the end of the test.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "vesal-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

#define SKIP_WITHOUT_SHARED(file) \
  if (!std::filesystem::exists(::vesal::tests::shared(file))) GTEST_SKIP() << "real scans are not beside the project: ../shared/data/" << (file)

}  // namespace vesal::tests
