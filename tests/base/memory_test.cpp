#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "paths.h"

namespace vesal {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// A system of one's own in a folder.
struct System {
  tests::TempDir root;
  void put(const std::string& file, const std::string& text) { write_file(root / file, text); }
  std::optional<std::uint64_t> left() { return available_memory(root.path()); }
};

TEST(Memory, IsTheLeastOfMachineAndControlGroups) {
  System s;
  EXPECT_FALSE(s.left()) << "nothing is known";
  s.put("proc/meminfo", "MemTotal:       33554432 kB\nMemFree: 1 kB\nMemAvailable:   16777216 kB\n");
  EXPECT_EQ(s.left(), 16 * kGiB);
  s.put("proc/self/cgroup", "0::/user.slice/job.scope\n");
  s.put("sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
  s.put("sys/fs/cgroup/user.slice/job.scope/memory.current", "123\n");
  EXPECT_EQ(s.left(), 16 * kGiB) << "no limit";
  s.put("sys/fs/cgroup/user.slice/memory.max", std::to_string(8 * kGiB));
  s.put("sys/fs/cgroup/user.slice/memory.current", std::to_string(5 * kGiB));
  EXPECT_EQ(s.left(), 3 * kGiB) << "the limit of a group further out";
  s.put("sys/fs/cgroup/user.slice/memory.stat", "anon 5\ninactive_file " + std::to_string(kGiB) + "\n");
  EXPECT_EQ(s.left(), 4 * kGiB) << "cached files can go";
  s.put("sys/fs/cgroup/user.slice/memory.current", std::to_string(99 * kGiB));
  EXPECT_EQ(s.left(), 0u) << "above the limit";
}

TEST(Memory, ReadsLimitsOfContainers) {
  System s;
  s.put("proc/self/cgroup", "9:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n");  // the path is the host's and not to be seen here
  s.put("sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(2 * kGiB));
  s.put("sys/fs/cgroup/memory/memory.usage_in_bytes", std::to_string(kGiB));
  s.put("sys/fs/cgroup/memory/memory.stat", "inactive_file 0\ntotal_inactive_file " + std::to_string(kGiB / 2) + "\n");
  EXPECT_EQ(s.left(), kGiB + kGiB / 2);
  s.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");  // version 1's way of saying "none"
  EXPECT_FALSE(s.left());
}

TEST(Memory, CanBeLimitedByTheEnvironment) {
  EXPECT_GT(resident_memory(), 1u << 20);
  EXPECT_GE(peak_memory(), resident_memory() / 2);
  setenv("VESAL_MAX_MEMORY", "1G", 1);
  EXPECT_LE(*available_memory(), kGiB);
  setenv("VESAL_MAX_MEMORY", "1M", 1);
  EXPECT_EQ(*available_memory(), 0u) << "more than that is in use already";
  setenv("VESAL_MAX_MEMORY", "lots", 1);
  EXPECT_THROW(available_memory(), Error);
  unsetenv("VESAL_MAX_MEMORY");
}

TEST(Memory, SizesAreReadAndWritten) {
  EXPECT_EQ(parse_bytes("1500"), 1500u);
  EXPECT_EQ(parse_bytes("1.5G"), kGiB * 3 / 2);
  EXPECT_EQ(parse_bytes("64KiB"), 65536u);
  EXPECT_EQ(parse_bytes("2mb"), 2u << 20);
  for (const char* wrong : {"", "G", "-1", "1X", "1e99", "nan", "2 G"}) EXPECT_THROW(parse_bytes(wrong), Error) << wrong;
  EXPECT_EQ(bytes_text(1'540'000'000), "1.5 GB");
  EXPECT_EQ(bytes_text(35'400'000), "35 MB");
  EXPECT_EQ(bytes_text(1200), "1 kB");
}

}  // namespace
}  // namespace vesal
