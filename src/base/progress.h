// Progress of long work: a bar with the time left on a terminal, a plain line per step elsewhere, nothing with --quiet.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace vesal {

/// One step of work with a known number of units. advance() may be called from any thread. The bar appears after half a second.
class Progress {
 public:
  Progress(std::string title, std::int64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::int64_t units = 1);
  /// Text behind the bar and the final line, e.g. the loss so far. From one thread.
  void note(std::string text);
  double seconds() const;

 private:
  void draw(bool last);
  std::string title_, note_;
  std::int64_t total_;
  std::atomic<std::int64_t> done_{0};
  std::chrono::steady_clock::time_point start_;
  std::atomic<std::int64_t> drawn_ms_{0};
};

/// "3:07" or "1:02:33".
std::string clock_text(double seconds);

/// State of a step, for a server or a script: (title, done, total, seconds left or -1).
using ProgressSink = std::function<void(const std::string&, std::int64_t, std::int64_t, double)>;
void set_progress_sink(ProgressSink sink);
void set_progress_visible(bool visible);
/// Removes a half-drawn bar before something else is printed.
void clear_progress_line();

}  // namespace vesal
