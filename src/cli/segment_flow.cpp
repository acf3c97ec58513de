#include "cli/segment_flow.h"

#include <future>

#include "base/log.h"
#include "base/progress.h"

namespace vesal::cli {
namespace {

class Flow {
 public:
  Flow(const infer::Segmenter& segmenter, const std::vector<SegmentCase>& cases, const std::function<void(const SegmentOutcome&)>& done)
      : segmenter_(segmenter), cases_(cases), done_(done) {}

  void run() {
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      if (cases_.size() > 1) log::info("scan {} of {}: {}", i + 1, cases_.size(), cases_[i].input.string());
      read_ahead(i);
      SegmentOutcome outcome;
      outcome.files = cases_[i];
      std::optional<image::Image> mask = in_outcome(outcome, [&] { return segmented(i, outcome); });
      read_ahead(i + 1);
      finish_last();
      if (!mask) {
        done_(outcome);
        continue;
      }
      writing_ = std::async(std::launch::async, [this, outcome = std::move(outcome), mask = std::move(*mask)]() mutable {
        in_outcome(outcome, [&] {
          write_case(segmenter_, mask, outcome);
          return true;
        });
        return std::move(outcome);
      });
    }
    finish_last();
  }

 private:
  /// Starts preparing a scan unless that has been done.
  void read_ahead(std::size_t i) {
    if (i < started_ || i >= cases_.size()) return;
    started_ = i + 1;
    prepared_ = std::async(std::launch::async, [this, i] { return segmenter_.prepare(cases_[i].input); });
  }

  image::Image segmented(std::size_t i, SegmentOutcome& outcome) {
    infer::PreparedScan scan = prepared_.get();
    if (i == 0) ahead_ = scan.memory;
    const bool more = i + 1 < cases_.size();
    infer::PlannedStream::Options options{.ahead = more ? ahead_ : 0};
    options.told = [&](const infer::Forecast& forecast) {
      if (forecast.peak > 0) {
        clear_progress_line();
        log::info("{}", forecast.text());
      }
      if (forecast.ahead >= (more ? ahead_ : 0)) read_ahead(i + 1);
    };
    infer::Segmentation result = segmenter_.finish(std::move(scan), std::move(options));
    outcome.times = result.times;
    outcome.forecast = result.forecast;
    return std::move(result.mask);
  }

  /// What `work` gives, or nothing and an error in the outcome.
  template <class Work>
  auto in_outcome(SegmentOutcome& outcome, Work&& work) -> std::optional<decltype(work())> {
    try {
      return with_context("segmenting " + outcome.files.input.string(), work);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      outcome.error = e;
    }
    return std::nullopt;
  }

  void finish_last() {
    if (writing_.valid()) done_(writing_.get());
  }

  const infer::Segmenter& segmenter_;
  const std::vector<SegmentCase>& cases_;
  const std::function<void(const SegmentOutcome&)>& done_;
  std::future<infer::PreparedScan> prepared_;
  std::size_t started_ = 0;  ///< cases whose preparation has begun
  std::uint64_t ahead_ = 0;  ///< what preparing the first scan took
  std::future<SegmentOutcome> writing_;
};

}  // namespace

void segment_cases(const infer::Segmenter& segmenter, const std::vector<SegmentCase>& cases, const std::function<void(const SegmentOutcome&)>& done) {
  Flow(segmenter, cases, done).run();
}

}  // namespace vesal::cli
