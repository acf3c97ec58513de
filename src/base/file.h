// Whole files in and out: bounded reading, mapping, and writing that leaves either the old file or the whole new one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vesal {

/// The whole file; throws Error(not_found | io), and Error(memory) above `limit` bytes.
std::string read_text(const std::filesystem::path& path, std::uint64_t limit = 64ull << 20);
std::vector<std::byte> read_bytes(const std::filesystem::path& path, std::uint64_t limit = 8ull << 30);

/// A file's bytes, read only, paged in as they are touched.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Writes to a temporary name beside `path`; commit() renames it into place. Without commit nothing is left.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);  ///< makes missing folders
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// The temporary name, for a library that wants to open the file itself. It ends as `path` does.
  const std::filesystem::path& temporary() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int fd_ = -1;
  bool committed_ = false;
};

void write_file(const std::filesystem::path& path, std::string_view text);

/// A path taken from data (archive entry, config): throws Error(refused) if it is absolute or climbs out of `root`.
std::filesystem::path inside(const std::filesystem::path& root, const std::filesystem::path& relative);

}  // namespace vesal
