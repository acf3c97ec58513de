#include "base/error.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "paths.h"

namespace vesal {
namespace {

TEST(ErrorCodes, EveryRowStandsInTheDocumentation) {
  const std::string page = read_text(tests::source_dir() / "docs/exit-codes.md");
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind) {
    const ErrorCodes& codes = error_codes(static_cast<ErrorKind>(kind));
    EXPECT_EQ(codes.kind, static_cast<ErrorKind>(kind));
    const std::string row = fmt::format("| {} | {} | {} | {:04X} |", codes.exit_code, codes.name, codes.http_status, codes.dimse_status);
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

TEST(Error, ContextStandsInFront) {
  try {
    with_context("reading a.nii", [] { with_context("header", [] { throw Error(ErrorKind::format, "dim[0] = 9, want 1..7"); }); });
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "reading a.nii: header: dim[0] = 9, want 1..7");
    EXPECT_EQ(e.kind(), ErrorKind::format);
  }
}

TEST(Error, ForeignExceptionsGetTheKindTheCallerGives) {
  try {
    with_context(
        "work", [] { throw std::runtime_error("foreign"); }, ErrorKind::config);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "work: foreign");
    EXPECT_EQ(e.kind(), ErrorKind::config);
  }
  try {
    with_context("work", [] { throw std::bad_alloc(); });
    FAIL();
  } catch (const Error& e) { EXPECT_EQ(e.kind(), ErrorKind::memory); }
}

}  // namespace
}  // namespace vesal
