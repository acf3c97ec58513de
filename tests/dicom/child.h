// A child process that never outlives its test.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace vesal::tests {

class Child {
 public:
  Child() = default;
  /// A program with its words, output to a file ("" for nowhere).
  Child(const std::vector<std::string>& words, const std::string& output);
  /// A function in a fork of this process, which must have no other threads; its return value is the exit code.
  explicit Child(const std::function<int()>& work);
  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Child& operator=(Child&& other) noexcept;
  ~Child() { kill_now(); }

  void kill_now();  ///< SIGKILL, and waits
  int stop();       ///< SIGTERM, and waits: the exit code, or 128 + signal
  int wait();       ///< for its end
  bool running();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

/// A port that is free just now.
int free_port();
/// Whether it came true within the time; asks every 20 ms.
bool eventually(double seconds, const std::function<bool()>& condition);
/// Runs a program to its end; its exit code. What it wrote goes to `output` if not null.
int run_tool(const std::vector<std::string>& words, std::string* output = nullptr);

}  // namespace vesal::tests
