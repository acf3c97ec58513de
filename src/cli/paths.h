// Names of files on the command line.
#pragma once
#include <filesystem>
#include <string>

namespace vesal::cli {

/// The file of the i-th output: y.npy, y.1.npy, y.2.npy, ...
inline std::filesystem::path numbered(const std::filesystem::path& path, std::size_t i) {
  if (i == 0) return path;
  return path.parent_path() / (path.stem().string() + "." + std::to_string(i) + path.extension().string());
}

/// Never throws: what cannot be looked at is no file.
inline bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace vesal::cli
