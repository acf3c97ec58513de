#include "cli/program.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "paths.h"

namespace vesal::tests {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void become_program(const std::vector<std::string>& args, const ProgramOptions& options, const std::string& out,
                                 const std::string& err) {
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  for (const std::string& variable : options.environment) putenv(const_cast<char*>(variable.c_str()));
  if (!std::freopen("/dev/null", "r", stdin) || !std::freopen(out.c_str(), "w", stdout) || !std::freopen(err.c_str(), "w", stderr)) _exit(126);
  std::vector<char*> argv{const_cast<char*>(options.program.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& args, const ProgramOptions& options) {
  const TempDir folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) become_program(args, options, out, err);
  int status = 0;
  bool interrupted = options.interrupt_when.empty();
  auto at = std::chrono::steady_clock::now();
  while (!interrupted && waitpid(child, &status, WNOHANG) == 0) {
    interrupted = text_of(err).find(options.interrupt_when) != std::string::npos;
    if (interrupted) at = std::chrono::steady_clock::now();
    if (!interrupted) usleep(5000);
    else if (options.interrupt) options.interrupt(child);
    else kill(child, SIGINT);
  }
  if (interrupted) waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out), text_of(err),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - at).count()};
}

}  // namespace vesal::tests
