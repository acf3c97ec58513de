// What segmenting a scan will take, told when the network has seen the first windows, and held to what is allowed.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/memory_watch.h"
#include "base/stopwatch.h"
#include "infer/output_stream.h"

namespace vesal::infer {

/// Bytes, and seconds of wall-clock time.
struct Forecast {
  std::uint64_t before = 0;   ///< the program, the weights and the scan ready for the network
  std::uint64_t network = 0;  ///< what the network takes for itself while it runs, a batch of windows and their results included
  std::uint64_t held = 0;     ///< blended windows that later ones add to, and labels; the most at once
  std::uint64_t work = 0;     ///< postprocessing, on all threads
  std::uint64_t ahead = 0;    ///< reading and preparing the next scan meanwhile
  std::uint64_t peak = 0;     ///< of the process: the sum, or what it has had already
  double seconds = 0;         ///< network and postprocessing
  std::int64_t windows = 0;   ///< of the scan; those that are alike go through the network once
  std::int64_t to_run = 0;    ///< that go through the network
  std::int64_t batch = 0;     ///< windows at a time

  /// "forecast: 60 windows by 4, about 0:07; 0.6 GB at the most: 210 MB before, network 330 MB, ..."
  std::string text() const;
};

/// Looks on while an output goes to another stream: shrinks batches until what is to come fits into what is allowed, and forecasts.
class PlannedStream : public OutputStream {
 public:
  struct Options {
    /// What the next scan would take while this one is in the network; it is left out where there is no room.
    std::uint64_t ahead = 0;
    /// Called once, when the second batch is through; with an empty forecast, before the network, if its output is kept whole.
    std::function<void(const Forecast&)> told = {};
  };
  /// Made before the network runs.
  PlannedStream(OutputStream& to, Options options);

  std::vector<Tile> begin(image::VoxelSourcePtr output, const Edges& edges) override { return to_.begin(std::move(output), edges); }
  /// Throws Error(memory) with what would do if not even single windows fit into memory_limit().
  std::int64_t plan(const StreamFacts& facts) override;
  void advance(std::int64_t windows) override;
  void ready(const std::vector<std::int64_t>& tiles) override { to_.ready(tiles); }
  const Forecast& forecast() const { return forecast_; }

 private:
  void tell();

  OutputStream& to_;
  Options options_;
  MemoryWatch watch_;
  Stopwatch since_start_, since_batch_;
  StreamFacts facts_;
  Forecast forecast_;
  int calls_ = 0;
};

}  // namespace vesal::infer
