#include "cli/children.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"

namespace vesal::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Running {
  const Child* child;
  pid_t pid = -1;
  int err = -1;  ///< what it writes to standard error, if that comes to us
  std::string unread = {};
  bool ended = false;
};

/// Only what may be done between fork and exec.
[[noreturn]] void become(const char* program, const std::vector<char*>& argv, const std::vector<char*>& environment, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it died before that
  setpgid(0, 0);                      // Ctrl-C of a terminal reaches the launcher alone
  const int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, 0);
  if (err >= 0) {
    dup2(nothing, 1);
    dup2(err, 2);
  }
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  execve(program, argv.data(), environment.data());
  _exit(127);
}

Running start(const Child& child) {
  std::vector<std::string> words{"vesal"}, settings;
  words.insert(words.end(), child.arguments.begin(), child.arguments.end());
  for (char** e = environ; *e; ++e) {
    const std::string_view text = *e;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::none_of(child.environment.begin(), child.environment.end(), [&](const auto& own) { return own.first == name; }))
      settings.emplace_back(text);
  }
  for (const auto& [name, value] : child.environment) settings.push_back(name + "=" + value);
  const auto pointers = [](std::vector<std::string>& list) {
    std::vector<char*> out;
    for (std::string& s : list) out.push_back(s.data());
    out.push_back(nullptr);
    return out;
  };
  const std::vector<char*> argv = pointers(words), environment = pointers(settings);
  std::error_code gone;
  std::string program = std::filesystem::read_symlink("/proc/self/exe", gone).string();  // by its name, so that lists of processes show it
  if (gone || access(program.c_str(), X_OK) != 0) program = "/proc/self/exe";            // replaced since it was started
  int ends[2]{-1, -1};
  if (!child.in_front && pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorKind::io, std::strerror(errno));
  const pid_t parent = getpid(), pid = fork();
  if (pid < 0) throw Error(ErrorKind::io, std::string("cannot start a process: ") + std::strerror(errno));
  if (pid == 0) become(program.c_str(), argv, environment, ends[1], parent);
  if (ends[1] >= 0) close(ends[1]);
  return {&child, pid, ends[0]};
}

void show(const Running& r, std::string line) {
  if (line.starts_with("vesal: ")) line = line.substr(7);
  clear_progress_line();
  fmt::print(stderr, "{}: {}\n", r.child->name, line);
}

/// Passes on the lines that came; at the end also an unfinished one.
void pass_on(Running& r) {
  char buffer[4096];
  const ssize_t n = read(r.err, buffer, sizeof buffer);
  if (n < 0 && errno == EINTR) return;
  if (n > 0) r.unread.append(buffer, static_cast<std::size_t>(n));
  for (auto end = r.unread.find_first_of("\n\r"); end != std::string::npos; end = r.unread.find_first_of("\n\r")) {
    if (end > 0) show(r, r.unread.substr(0, end));
    r.unread.erase(0, end + 1);
  }
  constexpr std::size_t kLongest = 1 << 20;
  if (n > 0 && r.unread.size() < kLongest) return;
  if (!r.unread.empty()) show(r, std::exchange(r.unread, ""));
  if (n > 0) return;
  close(r.err);
  r.err = -1;
}

void tell(const std::vector<Running>& all, int signal) {
  for (const Running& r : all)
    if (!r.ended) kill(r.pid, signal);
}

/// How a child ended, if not well.
std::optional<int> failure_of(const Running& r, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  clear_progress_line();
  fmt::print(stderr, "vesal: {} was killed by signal {} ({}){}\n", r.child->name, WTERMSIG(status), strsignal(WTERMSIG(status)),
             WTERMSIG(status) == SIGKILL ? ": by somebody, or by the system for want of memory" : "");
  return 128 + WTERMSIG(status);
}

}  // namespace

int run_children(const std::vector<Child>& children, milliseconds grace) {
  std::vector<Running> all;
  for (const Child& child : children) all.push_back(start(child));
  std::optional<int> first;
  std::optional<steady_clock::time_point> until;  // to end by themselves
  bool told = false, made = false, passed = false;
  const auto left = [&] { return std::count_if(all.begin(), all.end(), [](const Running& r) { return !r.ended || r.err >= 0; }); };
  while (left() > 0) {
    std::vector<pollfd> fds;
    for (const Running& r : all)
      if (r.err >= 0) fds.push_back({r.err, POLLIN, 0});
    poll(fds.data(), fds.size(), 50);
    for (Running& r : all) {
      const auto found = std::find_if(fds.begin(), fds.end(), [&](const pollfd& p) { return p.fd == r.err; });
      if (found != fds.end() && found->revents) pass_on(r);
      int status = 0;
      if (r.ended || waitpid(r.pid, &status, WNOHANG) != r.pid) continue;
      r.ended = true;
      const auto failed = failure_of(r, status);
      if (!failed || first) continue;
      first = failed;
      until = steady_clock::now() + grace;
    }
    if (cancel_requested() && !std::exchange(passed, true)) {
      tell(all, SIGINT);
      until = steady_clock::now() + std::chrono::seconds(20);
      told = true;
    }
    if (!until || steady_clock::now() < *until || made) continue;
    made = std::exchange(told, true);
    tell(all, made ? SIGKILL : SIGTERM);
    until = steady_clock::now() + std::chrono::seconds(10);
  }
  check_cancelled();
  return first.value_or(0);
}

}  // namespace vesal::cli
