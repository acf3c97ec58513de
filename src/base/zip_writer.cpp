#include <libdeflate.h>

#include <algorithm>

#include "base/zip_archive.h"

namespace vesal {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kShortest64 = 0xffffffffu;  // sizes and offsets from here on need zip64 fields

void number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}
std::uint64_t capped(std::uint64_t value) { return std::min(value, kShortest64); }

/// The fields the local header and the directory have in common, from "version needed" to the sizes. Names are UTF-8; the time is 1980-01-01.
void common(std::string& out, std::uint32_t crc, std::uint64_t size, bool wide) {
  number(out, wide ? 45 : 20, 2);
  number(out, 0x800, 2);
  number(out, 0, 2);
  number(out, 0, 2);
  number(out, 0x21, 2);
  number(out, crc, 4);
  number(out, wide ? kShortest64 : size, 4);
  number(out, wide ? kShortest64 : size, 4);
}

}  // namespace

void ZipWriter::put(std::string_view bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> content) {
  const std::uint32_t crc = libdeflate_crc32(0, content.data(), content.size());
  const bool wide = content.size() >= kShortest64;
  std::string extra;
  if (wide) {
    number(extra, 1, 2);
    number(extra, 16, 2);
    number(extra, content.size(), 8);
    number(extra, content.size(), 8);
  }
  // The field "FB" pads up to the alignment.
  const std::uint64_t unpadded = at_ + 30 + name.size() + extra.size() + 4;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  extra += "FB";
  number(extra, padding, 2);
  extra.append(padding, 'Z');

  records_.push_back({name, at_, content.size(), crc});
  std::string header = "PK\x03\x04";
  common(header, crc, content.size(), wide);
  number(header, name.size(), 2);
  number(header, extra.size(), 2);
  put(header + name + extra);
  put({reinterpret_cast<const char*>(content.data()), content.size()});
}

void ZipWriter::finish() {
  const std::uint64_t begin = at_;
  for (const Record& r : records_) {
    const bool wide = r.size >= kShortest64, far = r.offset >= kShortest64;
    std::string extra;
    if (wide || far) {
      number(extra, 1, 2);
      number(extra, (wide ? 16 : 0) + (far ? 8 : 0), 2);
      if (wide) number(extra, r.size, 8), number(extra, r.size, 8);
      if (far) number(extra, r.offset, 8);
    }
    std::string entry = "PK\x01\x02";
    number(entry, wide || far ? 45 : 20, 2);
    common(entry, r.crc, r.size, wide);
    number(entry, r.name.size(), 2);
    number(entry, extra.size(), 2);
    number(entry, 0, 2);  // comment
    number(entry, 0, 2);  // disk
    number(entry, 0, 2);  // internal attributes
    number(entry, 0, 4);  // external attributes
    number(entry, capped(r.offset), 4);
    put(entry + r.name + extra);
  }
  const std::uint64_t end = at_, size = end - begin, count = records_.size();
  std::string tail;
  if (end >= kShortest64 || count >= 0xffff) {
    tail += "PK\x06\x06";
    number(tail, 44, 8);
    number(tail, 45, 2);
    number(tail, 45, 2);
    number(tail, 0, 4);
    number(tail, 0, 4);
    number(tail, count, 8);
    number(tail, count, 8);
    number(tail, size, 8);
    number(tail, begin, 8);
    tail += "PK\x06\x07";
    number(tail, 0, 4);
    number(tail, end, 8);
    number(tail, 1, 4);
  }
  tail += "PK\x05\x06";
  number(tail, 0, 4);
  number(tail, std::min<std::uint64_t>(count, 0xffff), 2);
  number(tail, std::min<std::uint64_t>(count, 0xffff), 2);
  number(tail, capped(size), 4);
  number(tail, capped(begin), 4);
  number(tail, 0, 2);
  put(tail);
  file_.commit();
}

}  // namespace vesal
