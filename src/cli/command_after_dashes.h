// What stands after `--` on the line of a command that runs another one; main keeps it from the parser, which would read its options.
#pragma once
#include <string>
#include <vector>

namespace vesal::cli {

std::vector<std::string>& command_after_dashes();

}  // namespace vesal::cli
