// Zip archives as torch.save makes and reads them: stored or deflated entries, zip64; every offset is checked before it is used.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"

namespace vesal {

struct ZipEntry {
  std::string name;
  std::uint64_t begin = 0;       ///< of the entry's bytes in the file
  std::uint64_t compressed = 0;  ///< bytes in the file
  std::uint64_t size = 0;        ///< bytes of the content
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The directory of an archive in memory, which must outlive this. Throws Error(format) on damage, overlapping or out-of-range entries,
/// doubled names and contents larger than their bytes could hold; Error(unsupported) on encryption and other compressions.
class ZipReader {
 public:
  explicit ZipReader(std::span<const std::byte> bytes);
  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;
  /// Copies or inflates the content; `out` has exactly entry.size bytes.
  void extract(const ZipEntry& entry, std::span<std::byte> out) const;
  std::string text(const ZipEntry& entry, std::uint64_t limit) const;
  static bool crc_matches(const ZipEntry& entry, std::span<const std::byte> content);
  static bool crc_matches(const ZipEntry& entry, std::string_view content) { return crc_matches(entry, std::as_bytes(std::span(content))); }

 private:
  void add(ZipEntry entry, std::uint64_t local_header, std::uint64_t directory);
  std::span<const std::byte> bytes_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
};

/// Writes stored entries whose content starts at multiples of 64 bytes, as torch does, without times: equal input gives equal bytes.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}
  void add(const std::string& name, std::span<const std::byte> content);
  void add(const std::string& name, std::string_view content) { add(name, std::as_bytes(std::span(content))); }
  /// Writes the directory and puts the file in place.
  void finish();

 private:
  struct Record {
    std::string name;
    std::uint64_t offset, size;
    std::uint32_t crc;
  };
  void put(std::string_view bytes);
  AtomicFile file_;
  std::uint64_t at_ = 0;
  std::vector<Record> records_;
};

}  // namespace vesal
