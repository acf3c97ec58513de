#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/zip_archive.h"

namespace vesal {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint64_t kMaxEntries = 1 << 20;

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, "zip archive: " + what); }

/// Little-endian numbers at checked places.
struct Reader {
  std::span<const std::byte> bytes;

  template <class T>
  T get(std::uint64_t at) const {
    if (at > bytes.size() || bytes.size() - at < sizeof(T)) damaged("truncated");
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
  }
  std::span<const std::byte> part(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) damaged("truncated");
    return bytes.subspan(at, size);
  }
};

struct Directory {
  std::uint64_t begin, size, count;
};

/// The end record is the last thing of the file but for a comment of at most 64 KiB.
Directory find_directory(const Reader& in) {
  const std::uint64_t size = in.bytes.size();
  if (size < 22) damaged("truncated, " + std::to_string(size) + " bytes");
  const std::uint64_t first = size > 22 + 0xffff ? size - 22 - 0xffff : 0;
  for (std::uint64_t at = size - 22 + 1; at-- > first;) {
    if (in.get<std::uint32_t>(at) != kEnd || in.get<std::uint16_t>(at + 20) != size - at - 22) continue;
    if (at >= 20 && in.get<std::uint32_t>(at - 20) == kLocator64) {
      const auto end64 = in.get<std::uint64_t>(at - 20 + 8);
      if (in.get<std::uint32_t>(end64) != kEnd64) damaged("no zip64 end record where the locator points");
      return {in.get<std::uint64_t>(end64 + 48), in.get<std::uint64_t>(end64 + 40), in.get<std::uint64_t>(end64 + 32)};
    }
    if (in.get<std::uint16_t>(at + 4) != 0 || in.get<std::uint16_t>(at + 6) != 0)
      throw Error(ErrorKind::unsupported, "zip archive: split over several files");
    return {in.get<std::uint32_t>(at + 16), in.get<std::uint32_t>(at + 12), in.get<std::uint16_t>(at + 10)};
  }
  damaged("truncated: no directory at the end");
}

/// Replaces what the short fields could not hold by the values of the zip64 extra field.
void widen(const Reader& extra, std::uint64_t& size, std::uint64_t& compressed, std::uint64_t& offset) {
  for (std::uint64_t at = 0; at + 4 <= extra.bytes.size();) {
    const auto id = extra.get<std::uint16_t>(at);
    const Reader field{extra.part(at + 4, extra.get<std::uint16_t>(at + 2))};
    if (id == 1) {
      std::uint64_t next = 0;
      for (std::uint64_t* value : {&size, &compressed, &offset})
        if (*value == 0xffffffffu) *value = field.get<std::uint64_t>(next), next += 8;
    }
    at += 4 + field.bytes.size();
  }
}

}  // namespace

ZipReader::ZipReader(std::span<const std::byte> bytes) : bytes_(bytes) {
  const Reader in{bytes};
  const Directory directory = find_directory(in);
  const Reader central{in.part(directory.begin, directory.size)};
  if (directory.count > kMaxEntries || directory.count > directory.size / 46)
    damaged("a directory of " + std::to_string(directory.count) + " entries in " + std::to_string(directory.size) + " bytes");
  entries_.reserve(directory.count);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    if (central.get<std::uint32_t>(at) != kCentral) damaged("bad directory entry " + std::to_string(i));
    const auto flags = central.get<std::uint16_t>(at + 8), method = central.get<std::uint16_t>(at + 10);
    const std::uint64_t name_size = central.get<std::uint16_t>(at + 28), extra_size = central.get<std::uint16_t>(at + 30);
    const std::span<const std::byte> name = central.part(at + 46, name_size);
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    entry.crc = central.get<std::uint32_t>(at + 16);
    entry.compressed = central.get<std::uint32_t>(at + 20);
    entry.size = central.get<std::uint32_t>(at + 24);
    entry.deflated = method == 8;
    std::uint64_t local = central.get<std::uint32_t>(at + 42);
    widen({central.part(at + 46 + name_size, extra_size)}, entry.size, entry.compressed, local);
    if (flags & 1) throw Error(ErrorKind::unsupported, "zip archive: " + entry.name + " is encrypted");
    if (method != 0 && method != 8) throw Error(ErrorKind::unsupported, "zip archive: " + entry.name + " has compression " + std::to_string(method));
    if (method == 0 && entry.compressed != entry.size) damaged(entry.name + ": stored, but its two sizes differ");
    at += 46 + name_size + extra_size + central.get<std::uint16_t>(at + 32);
    add(std::move(entry), local, directory.begin);
  }

  // Deflate can promise 1032 bytes for one; neither weights nor scans compress like that, bombs do.
  std::uint64_t inflated = 0;
  std::vector<const ZipEntry*> order;
  for (const ZipEntry& e : entries_) {
    order.push_back(&e);
    if (e.deflated && __builtin_add_overflow(inflated, e.size, &inflated)) damaged("its contents are too large");
  }
  if (inflated > (64ull << 20) && inflated / 64 > bytes.size()) damaged("compressed more than 64 times: a zip bomb");
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->begin < b->begin; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->begin + order[i - 1]->compressed > order[i]->begin)
      damaged("entries " + order[i - 1]->name + " and " + order[i]->name + " overlap");
}

void ZipReader::add(ZipEntry entry, std::uint64_t local_header, std::uint64_t directory) {
  const Reader in{bytes_};
  if (local_header >= directory || in.get<std::uint32_t>(local_header) != kLocal) damaged(entry.name + ": no local header where the directory says");
  const std::uint64_t name_size = in.get<std::uint16_t>(local_header + 26), extra_size = in.get<std::uint16_t>(local_header + 28);
  const auto name = in.part(local_header + 30, name_size);
  if (std::string_view(reinterpret_cast<const char*>(name.data()), name.size()) != entry.name)
    damaged(entry.name + ": its two headers differ in name");
  entry.begin = local_header + 30 + name_size + extra_size;
  if (entry.begin > directory || directory - entry.begin < entry.compressed) damaged(entry.name + ": reaches past the end of the data");
  if (!index_.emplace(entry.name, entries_.size()).second) damaged(entry.name + " is there twice");
  entries_.push_back(std::move(entry));
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto it = index_.find(std::string(name));
  return it == index_.end() ? nullptr : &entries_[it->second];
}

void ZipReader::extract(const ZipEntry& entry, std::span<std::byte> out) const {
  if (out.size() != entry.size) throw Error(ErrorKind::internal, "zip entry of another size");
  const auto in = bytes_.subspan(entry.begin, entry.compressed);
  if (!entry.deflated) {
    if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
    return;
  }
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(libdeflate_alloc_decompressor(),
                                                                                                   libdeflate_free_decompressor);
  if (!inflater) throw std::bad_alloc();
  std::byte none;
  if (libdeflate_deflate_decompress(inflater.get(), in.data(), in.size(), out.empty() ? &none : out.data(), out.size(), nullptr) !=
      LIBDEFLATE_SUCCESS)
    damaged(entry.name + ": its compressed bytes are damaged");
}

std::string ZipReader::text(const ZipEntry& entry, std::uint64_t limit) const {
  if (entry.size > limit)
    throw Error(ErrorKind::memory, entry.name + ": " + std::to_string(entry.size) + " bytes, at most " + std::to_string(limit) + " are taken");
  std::string content(entry.size, '\0');
  extract(entry, std::as_writable_bytes(std::span(content)));
  return content;
}

bool ZipReader::crc_matches(const ZipEntry& entry, std::span<const std::byte> content) {
  return libdeflate_crc32(0, content.data(), content.size()) == entry.crc;
}

}  // namespace vesal
