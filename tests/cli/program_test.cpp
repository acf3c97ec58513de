#include "cli/program.h"

#include <gtest/gtest.h>

namespace vesal::tests {
namespace {

TEST(Program, HelpNamesTheCommands) {
  const ProgramResult r = run_program({"--help"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_NE(r.out.find("phantom"), std::string::npos) << r.out;
}

TEST(Program, TheHelpOfACommandNamesTheOptionsOfEveryCommand) {
  const ProgramResult r = run_program({"segment", "--help"});
  EXPECT_EQ(r.exit_code, 0);
  for (const char* option : {"--output", "--bundle", "--device", "--report", "--preview", "--threads N", "--json", "Examples:"})
    EXPECT_NE(r.out.find(option), std::string::npos) << option;
}

TEST(Program, AnUnknownCommandIsAUsageError) {
  const ProgramResult r = run_program({"no-such-command"});
  EXPECT_EQ(r.exit_code, 2);
  EXPECT_EQ(r.out, "");
  EXPECT_NE(r.err.find("--help"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace vesal::tests
