#include "base/sha256.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "paths.h"

namespace vesal {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, TheStandardsExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  const std::string thousand(1000, 'a');
  for (int i = 0; i < 1000; ++i) pieces.update(thousand);
  EXPECT_EQ(pieces.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, AFileAndNone) {
  const tests::TempDir dir;
  write_file(dir / "a", "abc");
  EXPECT_EQ(sha256_file(dir / "a"), sha256("abc"));
  for (const auto& [path, kind] : {std::pair(dir / "b", ErrorKind::not_found), std::pair(dir.path(), ErrorKind::io)}) {
    try {
      sha256_file(path);
      FAIL() << path;
    } catch (const Error& e) { EXPECT_EQ(e.kind(), kind) << e.what(); }
  }
}

}  // namespace
}  // namespace vesal
