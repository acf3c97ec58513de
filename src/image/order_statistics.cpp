#include "image/order_statistics.h"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <numeric>

#include "base/parallel.h"

namespace vesal::image {
namespace {

/// Unsigned numbers in the order of the floats.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return 0xFFFFFFFFu;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
float value_of(std::uint32_t key) { return std::bit_cast<float>(key & 0x80000000u ? key & 0x7FFFFFFFu : ~key); }

using Histogram = std::vector<std::int64_t>;

/// Adds up what count(first, last, histogram) puts into histograms of 65536 entries per wanted bucket.
template <class Count>
Histogram histogram(const Array& values, std::size_t buckets, Count&& count) {
  Histogram total(buckets << 16, 0);
  const float* p = values.data<float>();
  std::mutex mutex;
  parallel_for(values.numel(), std::max<std::int64_t>(1 << 18, values.numel() / 32), [&](std::int64_t begin, std::int64_t end) {
    Histogram mine(total.size(), 0);
    count(p + begin, p + end, mine.data());
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += mine[i];
  });
  return total;
}

/// The entry of a histogram that holds `rank`, which becomes the rank within it.
std::uint32_t entry_of(const std::int64_t* counts, std::int64_t& rank) {
  std::uint32_t entry = 0;
  while (rank >= counts[entry]) rank -= counts[entry++];
  return entry;
}

}  // namespace

Array in_memory_order(const Array& array) {
  Array turned = array;
  for (int i = 0; i < array.dim(); ++i)
    if (array.strides()[static_cast<std::size_t>(i)] < 0) turned = turned.flip(i);
  std::vector<int> axes(static_cast<std::size_t>(array.dim()));
  std::iota(axes.begin(), axes.end(), 0);
  std::stable_sort(axes.begin(), axes.end(),
                   [&](int x, int y) { return turned.strides()[static_cast<std::size_t>(x)] > turned.strides()[static_cast<std::size_t>(y)]; });
  return turned.permute(axes).contiguous();
}

std::vector<float> values_at_ranks(const Array& values, const std::vector<std::int64_t>& ranks) {
  for (const std::int64_t rank : ranks)
    if (rank < 0 || rank >= values.numel())
      throw Error(ErrorKind::shape, "rank " + std::to_string(rank) + " of " + std::to_string(values.numel()) + " values");
  const Array all = in_memory_order(values).to(DType::f32);

  // By the upper half of the bits first, then by the lower half within the buckets that matter.
  const Histogram coarse = histogram(all, 1, [](const float* p, const float* end, std::int64_t* counts) {
    for (; p != end; ++p) ++counts[key_of(*p) >> 16];
  });
  std::map<std::uint32_t, std::size_t> wanted;
  std::vector<std::pair<std::uint32_t, std::int64_t>> places;
  for (std::int64_t rank : ranks) {
    const std::uint32_t bucket = entry_of(coarse.data(), rank);
    wanted.emplace(bucket, wanted.size());
    places.emplace_back(bucket, rank);
  }
  std::vector<std::int32_t> slot(std::size_t{1} << 16, -1);
  for (const auto& [bucket, index] : wanted) slot[bucket] = static_cast<std::int32_t>(index);
  const Histogram fine = histogram(all, wanted.size(), [&](const float* p, const float* end, std::int64_t* counts) {
    for (; p != end; ++p) {
      const std::uint32_t key = key_of(*p);
      if (const std::int32_t s = slot[key >> 16]; s >= 0) ++counts[(static_cast<std::size_t>(s) << 16) + (key & 0xFFFF)];
    }
  });
  std::vector<float> found;
  for (auto& [bucket, rank] : places) found.push_back(value_of(bucket << 16 | entry_of(fine.data() + (wanted.at(bucket) << 16), rank)));
  return found;
}

}  // namespace vesal::image
