#include "base/file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error.h"
#include "paths.h"

namespace vesal {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

ErrorKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.kind(); }
  return ErrorKind::internal;
}

TEST(AtomicFile, AppearsWholeOnCommit) {
  tests::TempDir dir;
  const fs::path path = dir / "deep/folder/x.txt";
  {
    AtomicFile file(path);
    file.write("hello ");
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(file.temporary().parent_path(), path.parent_path());
    EXPECT_EQ(file.temporary().extension(), ".txt");
    file.write("world");
    file.commit();
  }
  EXPECT_EQ(read_text(path), "hello world");
  EXPECT_EQ(entries(path.parent_path()), 1u);
}

TEST(AtomicFile, WithoutCommitTheOldFileStays) {
  tests::TempDir dir;
  write_file(dir / "x", "old");
  try {
    AtomicFile file(dir / "x");
    file.write("new");
    throw std::runtime_error("half way");
  } catch (const std::runtime_error&) {}
  EXPECT_EQ(read_text(dir / "x"), "old");
  EXPECT_EQ(entries(dir.path()), 1u);
}

TEST(AtomicFile, TwoWritersOfOneFile) {
  tests::TempDir dir;
  AtomicFile a(dir / "x"), b(dir / "x");
  a.write("a");
  b.write("b");
  a.commit();
  b.commit();
  EXPECT_EQ(read_text(dir / "x"), "b");
  EXPECT_EQ(entries(dir.path()), 1u);
}

TEST(AtomicFile, RefusesAFolderAndAFileAsFolder) {
  tests::TempDir dir;
  EXPECT_EQ(kind_of([&] { AtomicFile file(dir.path()); }), ErrorKind::io);
  write_file(dir / "x", "");
  EXPECT_NE(kind_of([&] { AtomicFile file(dir / "x/y"); }), ErrorKind::internal);
}

TEST(Files, ReadingIsBounded) {
  tests::TempDir dir;
  write_file(dir / "x", std::string(1000, 'x'));
  EXPECT_EQ(read_text(dir / "x", 1000).size(), 1000u);
  EXPECT_EQ(kind_of([&] { read_text(dir / "x", 999); }), ErrorKind::memory);
  EXPECT_EQ(kind_of([&] { read_text(dir / "none"); }), ErrorKind::not_found);
  EXPECT_EQ(kind_of([&] { read_text(dir / "x/y"); }), ErrorKind::not_found);
  EXPECT_EQ(kind_of([&] { read_text(dir.path()); }), ErrorKind::io);
  EXPECT_EQ(kind_of([&] { read_text("/dev/zero", 10); }), ErrorKind::io) << "no device";
}

TEST(Files, Mapping) {
  tests::TempDir dir;
  write_file(dir / "x", "abc");
  write_file(dir / "empty", "");
  const MappedFile x(dir / "x"), empty(dir / "empty");
  EXPECT_EQ(x.bytes().size(), 3u);
  EXPECT_EQ(x.bytes()[2], std::byte{'c'});
  EXPECT_TRUE(empty.bytes().empty());
  EXPECT_EQ(kind_of([&] { MappedFile f(dir.path()); }), ErrorKind::io);
  EXPECT_EQ(kind_of([&] { MappedFile f("/dev/zero"); }), ErrorKind::io);
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(kind_of([&] { MappedFile f(dir / "pipe"); }), ErrorKind::io) << "and it does not wait for a writer";
  EXPECT_EQ(kind_of([&] { read_text(dir / "pipe"); }), ErrorKind::io);
}

TEST(Inside, StaysInItsFolder) {
  EXPECT_EQ(inside("/data", "a/b.json"), fs::path("/data/a/b.json"));
  EXPECT_EQ(inside("/data", "a/../b"), fs::path("/data/b"));
  EXPECT_EQ(inside("/data", "./a"), fs::path("/data/a"));
  for (const char* bad : {"/etc/passwd", "..", "../x", "a/../../x", "./../x", "a/b/../../../x", "//x"})
    EXPECT_EQ(kind_of([&] { inside("/data", bad); }), ErrorKind::refused) << bad;
}

}  // namespace
}  // namespace vesal
