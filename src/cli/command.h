// A command of the program: one file each, registered by itself; its usage text lives in the code.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace vesal::cli {

/// Options every command has.
struct Globals {
  bool quiet = false;
  bool json = false;  ///< results as JSON on standard output
  bool verbose = false;
  int threads = 0;  ///< 0: all cores
};
Globals& globals();
/// For commands that take unknown options and so cannot leave these to the program's own parser.
void add_globals(CLI::App& app);

/// setup() adds options to the CLI11 sub-command and returns what runs it; the return value is the exit code.
struct Command {
  std::string name;      ///< "segment", or "bundle run" for a sub-command of a group
  std::string summary;   ///< one line
  std::string examples;  ///< shown below the options
  std::function<std::function<int()>(CLI::App&)> setup;
  std::function<std::string()> more = {};  ///< shown below the examples; made when somebody asks for help
};
struct RegisterCommand {
  explicit RegisterCommand(Command command);
};

}  // namespace vesal::cli
