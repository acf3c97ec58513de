#include "infer/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <ctime>

#include "base/error.h"

namespace vesal::infer {
namespace {

/// CRC-32C (Castagnoli), as TFRecord files carry it: rotated, and with a constant added.
std::uint32_t masked_crc(const std::string& bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ (t[i] & 1 ? 0x82f63b78u : 0u);
    }
    return t;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

template <class T>
std::string little_endian(T value) {
  std::string out(sizeof(T), '\0');
  for (std::size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

// Protocol buffers: a field is its number and kind of value, then the value.
enum Kind { varint_kind = 0, fixed64_kind = 1, bytes_kind = 2, fixed32_kind = 5 };

std::string varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  return out + static_cast<char>(v);
}
std::string key(std::uint64_t number, Kind kind) { return varint(number << 3 | kind); }
std::string field(std::uint64_t number, double v) { return key(number, fixed64_kind) + little_endian(std::bit_cast<std::uint64_t>(v)); }
std::string field(std::uint64_t number, float v) { return key(number, fixed32_kind) + little_endian(std::bit_cast<std::uint32_t>(v)); }
std::string field(std::uint64_t number, std::int64_t v) { return key(number, varint_kind) + varint(static_cast<std::uint64_t>(v)); }
std::string field(std::uint64_t number, const std::string& v) { return key(number, bytes_kind) + varint(v.size()) + v; }

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string host() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

}  // namespace

void EventFile::open() {
  static std::atomic<int> number{0};
  const std::filesystem::path path =
      folder_ / fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<std::int64_t>(std::time(nullptr)), host(), getpid(), number++);
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  out_.open(path, std::ios::binary | std::ios::trunc);
  if (!out_) throw Error(ErrorKind::io, "cannot write " + path.string());
  path_ = path;
  record(field(1, now()) + field(3, std::string("brain.Event:2")));
}

void EventFile::add(const std::string& tag, double value, std::int64_t step) {
  if (!out_.is_open()) open();
  const std::string point = field(1, tag) + field(2, static_cast<float>(value));
  record(field(1, now()) + field(2, step) + field(5, field(1, point)));
}

void EventFile::record(const std::string& event) {
  const std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  out_ << length << little_endian(masked_crc(length)) << event << little_endian(masked_crc(event));
  if (!out_) throw Error(ErrorKind::io, "cannot write " + path_.string() + ": is the disk full?");
}

void EventFile::flush() {
  if (out_.is_open() && !out_.flush()) throw Error(ErrorKind::io, "cannot write " + path_.string() + ": is the disk full?");
}

}  // namespace vesal::infer
