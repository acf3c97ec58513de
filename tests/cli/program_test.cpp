#include "cli/program.h"

#include <gtest/gtest.h>

namespace vesal::tests {
namespace {

TEST(Program, HelpNamesTheCommands) {
  const ProgramResult r = run_program({"--help"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_NE(r.out.find("phantom"), std::string::npos) << r.out;
}

TEST(Program, AnUnknownCommandIsAUsageError) {
  const ProgramResult r = run_program({"no-such-command"});
  EXPECT_EQ(r.exit_code, 2);
  EXPECT_EQ(r.out, "");
  EXPECT_NE(r.err.find("--help"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace vesal::tests
