#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace vesal {
namespace {

std::mutex terminal;
bool visible = true;
bool line_open = false;
ProgressSink sink;
/// The step that began first: steps inside it stay silent once it has something to show, and print no line of their own at their end.
Progress* outermost = nullptr;

void clear_unlocked() {
  if (line_open) std::fputs("\r\033[K", stderr);
  line_open = false;
}

}  // namespace

std::string clock_text(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60) : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

void set_progress_sink(ProgressSink s) { sink = std::move(s); }
void set_progress_visible(bool v) { visible = v; }
void clear_progress_line() {
  std::lock_guard lock(terminal);
  clear_unlocked();
}

Progress::Progress(std::string title, std::int64_t total)
    : title_(std::move(title)), total_(std::max<std::int64_t>(total, 1)), start_(std::chrono::steady_clock::now()) {
  drawn_ms_ = 300;  // so that the first drawing is at half a second
  std::lock_guard lock(terminal);
  if (!outermost) outermost = this;
}

Progress::~Progress() {
  draw(true);
  std::lock_guard lock(terminal);
  if (outermost == this) outermost = nullptr;
}

double Progress::seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

void Progress::note(std::string text) {
  std::lock_guard lock(terminal);
  note_ = std::move(text);
}

void Progress::advance(std::int64_t units) {
  done_ += units;
  const auto now = static_cast<std::int64_t>(seconds() * 1000);
  auto last = drawn_ms_.load();
  if (now - last >= 200 && drawn_ms_.compare_exchange_strong(last, now)) draw(false);
}

void Progress::draw(bool last) {
  const double elapsed = seconds();
  const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  const double left = share > 0 ? elapsed * (1 - share) / share : -1;
  std::lock_guard lock(terminal);
  if (sink) sink(title_, done_, total_, last ? 0 : left);
  if (!visible || (outermost && outermost != this && (last || outermost->done_ > 0))) return;
  if (isatty(STDERR_FILENO)) {
    clear_unlocked();
    if (last) {
      if (elapsed >= 0.5) fmt::print(stderr, "{:<24} {:.1f} s{}{}\n", title_, elapsed, note_.empty() ? "" : "  ", note_);
      return;
    }
    constexpr int kWidth = 30;
    const int full = static_cast<int>(share * kWidth);
    fmt::print(stderr, "{:<24} [{}{}] {:3.0f} %  {} left{}{}", title_, std::string(full, '#'), std::string(kWidth - full, '.'), share * 100,
               left < 0 ? "?" : clock_text(left), note_.empty() ? "" : "  ", note_);
    line_open = true;
    std::fflush(stderr);
  } else if (last && elapsed >= 0.5) {
    fmt::print(stderr, "{}: {:.1f} s{}{}\n", title_, elapsed, note_.empty() ? "" : ", ", note_);
  }
}

}  // namespace vesal
