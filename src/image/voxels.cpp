#include "image/voxels.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"

namespace vesal::image {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

template <class U>
void swap_as(void* data, std::int64_t count) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    U* p = static_cast<U*>(data);
    for (std::int64_t i = begin; i < end; ++i) {
      if constexpr (sizeof(U) == 2) p[i] = __builtin_bswap16(p[i]);
      else if constexpr (sizeof(U) == 4) p[i] = __builtin_bswap32(p[i]);
      else p[i] = __builtin_bswap64(p[i]);
    }
  });
}

/// The one number of a small file of the kernel; nothing if it is absent or says "max".
std::optional<std::uint64_t> kernel_number(const char* path) {
  std::ifstream in(path);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

}  // namespace

void swap_bytes(void* data, std::int64_t count, std::size_t size) {
  if (size == 2) swap_as<std::uint16_t>(data, count);
  else if (size == 4) swap_as<std::uint32_t>(data, count);
  else if (size == 8) swap_as<std::uint64_t>(data, count);
}

void convert_values(const void* src, DType from, void* dst, DType to, std::int64_t count, const Scaling& scaling) {
  visit_dtype(from, [&](auto from_tag) {
    visit_dtype(to, [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      const From* in = static_cast<const From*>(src);
      To* out = static_cast<To*>(dst);
      const double slope = scaling.slope, inter = scaling.inter;
      parallel_for(count, kGrain, [&, identity = scaling.identity()](std::int64_t begin, std::int64_t end) {
        if (identity)
          for (std::int64_t i = begin; i < end; ++i) out[i] = convert<To>(in[i]);
        else
          for (std::int64_t i = begin; i < end; ++i) out[i] = convert<To>(convert<double>(in[i]) * slope + inter);
      });
    });
  });
}

void widen_in_place(void* buffer, DType from, DType to, std::int64_t count, const Scaling& scaling) {
  const auto narrow = static_cast<std::int64_t>(size_of(from)), wide = static_cast<std::int64_t>(size_of(to));
  char* base = static_cast<char*>(buffer);
  const std::int64_t input = count * (wide - narrow);  // where the input begins, in bytes
  if (from == to && scaling.identity()) return;
  // Elements [done, end) may be written at once while their output ends before the input still to be read.
  std::int64_t done = 0;
  while (done < count) {
    const std::int64_t end = (input + done * narrow) / wide;
    if (end - done < kGrain) break;
    convert_values(base + input + done * narrow, from, base + done * wide, to, end - done, scaling);
    done = end;
  }
  std::vector<char> piece;
  while (done < count) {
    const std::int64_t n = std::min(kGrain, count - done);
    piece.assign(base + input + done * narrow, base + input + (done + n) * narrow);
    convert_values(piece.data(), from, base + done * wide, to, n, scaling);
    done += n;
  }
}

std::shared_ptr<void> allocate(std::uint64_t bytes) {
  void* p = bytes > (std::uint64_t{1} << 62) ? nullptr : std::aligned_alloc(64, (std::max<std::uint64_t>(bytes, 1) + 63) / 64 * 64);
  if (!p) throw Error(ErrorKind::memory, "no memory for " + std::to_string(bytes >> 20) + " MiB of voxels");
  return {p, std::free};
}

std::uint64_t available_memory() {
  std::uint64_t available = ~std::uint64_t{0};
  std::ifstream meminfo("/proc/meminfo");
  for (std::string name, unit; meminfo >> name;) {
    if (name == "MemAvailable:") {
      std::uint64_t kib = 0;
      if (meminfo >> kib) available = kib << 10;
      break;
    }
    std::getline(meminfo, unit);
  }
  return std::min(available, kernel_number("/sys/fs/cgroup/memory.max").value_or(available));
}

void check_allocation(std::uint64_t bytes, std::uint64_t stored) {
  constexpr std::uint64_t kLarge = std::uint64_t{4} << 30, kRatio = 200;
  const auto mib = [](std::uint64_t n) { return std::to_string(n >> 20) + " MiB"; };
  if (bytes > kLarge && bytes / kRatio > stored)
    throw Error(ErrorKind::memory, mib(bytes) + " of voxels out of a file of " + std::to_string(stored) + " bytes: refused as a decompression bomb");
  if (bytes <= std::uint64_t{64} << 20) return;
  const std::uint64_t available = available_memory();
  if (bytes > available) throw Error(ErrorKind::memory, "the voxels take " + mib(bytes) + ", " + mib(available) + " of memory are free");
}

Shape fortran_strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  if (numel_of(shape) == 0) return strides;  // no step is ever taken, and those of absurd extents would overflow
  for (std::size_t i = 1; i < shape.size(); ++i) strides[i] = strides[i - 1] * shape[i - 1];
  return strides;
}

}  // namespace vesal::image
