// Child processes of this program that belong together: when one fails, all end.
#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace vesal::cli {

struct Child {
  std::string name;                    ///< in front of its lines
  std::vector<std::string> arguments;  ///< of this program
  std::vector<std::pair<std::string, std::string>> environment;
  bool in_front = false;  ///< writes where we write; of the others, standard error comes line by line with the name in front
};

/// Runs them to their end; the exit code is that of the first that failed (128 + signal for a killed one), or 0. Then the others have
/// `grace` to end by themselves before they are told to (SIGTERM) and, 10 s later, made to (SIGKILL). Ctrl-C is passed on once and
/// gives Error(cancelled) when all have ended. Children die with this process.
int run_children(const std::vector<Child>& children, std::chrono::milliseconds grace);

}  // namespace vesal::cli
