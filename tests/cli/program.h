// Runs the program as a user would.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace vesal::tests {

struct ProgramResult {
  int exit_code = -1;  ///< 128 + signal if a signal ended it
  std::string out, err;
  double seconds_after_interrupt = 0;  ///< from Ctrl-C to the end
};
struct ProgramOptions {
  std::string program = VESAL_BINARY;
  std::string folder = {};                    ///< working directory; empty: that of the test
  std::vector<std::string> environment = {};  ///< "NAME=value", on top of the test's own
  std::string interrupt_when = {};            ///< Ctrl-C as soon as this text is on standard error
  /// Instead of Ctrl-C; it gets the program's process id.
  std::function<void(int)> interrupt = {};
};

/// `vesal ARGS...`, without a shell; waits for its end.
ProgramResult run_program(const std::vector<std::string>& args, const ProgramOptions& options = {});

}  // namespace vesal::tests
