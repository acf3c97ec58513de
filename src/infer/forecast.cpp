#include "infer/forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace vesal::infer {
namespace {

/// A tile in work: what it reads, what that becomes, and something in between.
constexpr std::uint64_t kWorkPerThread = std::uint64_t{12} << 20;
/// Nanoseconds of one thread for one number of the output: softmax, the way back, argmax.
constexpr double kPostprocessing = 6;

}  // namespace

std::string Forecast::text() const {
  std::string text =
      fmt::format("forecast: {} windows{} by {}, about {}; {} at the most: {} so far, network {}, sums and labels {}, postprocessing {}", windows,
                  to_run < windows ? fmt::format(" ({} of them different)", to_run) : "", batch, clock_text(seconds), bytes_text(peak),
                  bytes_text(before), bytes_text(network), bytes_text(held), bytes_text(work));
  if (ahead > 0) text += ", the next scan " + bytes_text(ahead);
  return text;
}

PlannedStream::PlannedStream(OutputStream& to, Options options) : to_(to), options_(std::move(options)) { forecast_.before = resident_memory(); }

std::int64_t PlannedStream::plan(const StreamFacts& facts) {
  facts_ = facts;
  Forecast& f = forecast_;
  const std::uint64_t one = watch_.most() - std::min(watch_.most(), f.before);
  f.windows = facts.windows;
  f.to_run = facts.windows_left + 1;
  f.held = facts.held;
  f.work = kWorkPerThread * static_cast<std::uint64_t>(thread_count());
  // Only part of what one window takes grows with their number; how much is seen when the second batch is through.
  const auto need = [&](std::int64_t batch) { return f.before + one * static_cast<std::uint64_t>(batch) + f.held + f.work; };
  const auto limit = memory_limit();
  if (limit && need(1) > *limit)
    throw Error(ErrorKind::memory,
                fmt::format("it takes {} ({} for the program and the scan, {} for the network, {} for sums and labels, {} for postprocessing), "
                            "{} are allowed: --max-memory {}M is the least that would do",
                            bytes_text(need(1)), bytes_text(f.before), bytes_text(one), bytes_text(f.held), bytes_text(f.work), bytes_text(*limit),
                            need(1) / (1 << 20) + 1));
  std::uint64_t room = limit.value_or(UINT64_MAX);
  if (const auto left = available_memory()) room = std::min(room, resident_memory() + *left);
  if (need(1) > room) log::warning("{} are wanted, the machine has {} left", bytes_text(need(1)), bytes_text(room));
  f.batch = std::max<std::int64_t>(1, std::min(facts.batch, facts.windows_left));
  while (f.batch > 1 && need(f.batch) > room) --f.batch;
  f.network = one * static_cast<std::uint64_t>(f.batch);
  f.ahead = need(f.batch) + options_.ahead <= room ? options_.ahead : 0;
  watch_.restart();
  return f.batch;
}

void PlannedStream::advance(std::int64_t) {
  // The first call is window 0 by itself; the second is the first batch.
  if (++calls_ == 1) {
    forecast_.seconds = since_batch_.lap();
    if (facts_.windows_left == 0) tell();
  } else if (calls_ == 2 && facts_.windows_left > 0) {
    const std::uint64_t most = watch_.most(), other = forecast_.before + facts_.held_first;
    if (most > other) forecast_.network = most - other;
    const double batch = since_batch_.lap();
    forecast_.seconds += batch / static_cast<double>(forecast_.batch) * static_cast<double>(facts_.windows_left);
    tell();
  }
}

void PlannedStream::tell() {
  Forecast& f = forecast_;
  f.seconds += kPostprocessing * 1e-9 * static_cast<double>(facts_.values) / thread_count();
  f.peak = std::max(peak_memory(), f.before + f.network + f.held + f.work + f.ahead);
  if (options_.told) options_.told(f);
}

}  // namespace vesal::infer
