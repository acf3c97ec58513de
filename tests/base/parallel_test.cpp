#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/error.h"

namespace vesal {
namespace {

TEST(ParallelFor, CoversEveryItemOnce) {
  for (const std::int64_t n : {0, 1, 7, 1000, 12345})
    for (const std::int64_t grain : {0, 1, 64, 100000}) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(n));
      parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
        EXPECT_LE(begin, end);
        for (std::int64_t i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
      });
      for (const auto& h : hits) ASSERT_EQ(h, 1);
    }
}

TEST(ParallelFor, RethrowsTheFirstExceptionAndGoesOn) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> inside{0};
    EXPECT_THROW(parallel_for(1000, 1,
                              [&](std::int64_t begin, std::int64_t) {
                                ++inside;
                                if (begin == 0) {
                                  --inside;
                                  throw Error(ErrorKind::format, "bad");
                                }
                                std::this_thread::yield();
                                --inside;
                              }),
                 Error);
    EXPECT_EQ(inside, 0) << "every range had ended";
  }
  std::atomic<std::int64_t> sum{0};
  parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum += i;
  });
  EXPECT_EQ(sum, 4950);
}

TEST(ParallelFor, NestedCallsRunWhereTheyAre) {
  std::atomic<std::int64_t> total{0};
  parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto me = std::this_thread::get_id();
      parallel_for(100, 1, [&](std::int64_t b, std::int64_t e) {
        EXPECT_EQ(std::this_thread::get_id(), me);
        total += e - b;
      });
    }
  });
  EXPECT_EQ(total, 1600);
  EXPECT_THROW(
      parallel_for(4, 1, [](std::int64_t, std::int64_t) { parallel_for(4, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("x"); }); }),
      std::runtime_error);
}

TEST(ParallelFor, SeveralCallersAtOnce) {
  std::atomic<std::int64_t> total{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) parallel_for(1000, 10, [&](std::int64_t b, std::int64_t e) { total += e - b; });
    });
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(total, 4 * 100 * 1000);
}

TEST(ParallelFor, ThrowsOnANestedCallInTheSameThreadAfterwards) {
  EXPECT_THROW(parallel_for(8, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("x"); }), std::runtime_error);
  std::atomic<int> ranges{0};
  parallel_for(64, 1, [&](std::int64_t, std::int64_t) { ++ranges; });
  EXPECT_GE(ranges, std::min(thread_count(), 2)) << "still parallel after an exception";
}

}  // namespace
}  // namespace vesal
