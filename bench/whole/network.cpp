// bench_network CONFIG WINDOWS fp32|bf16: runs the configuration's network_def, weights by rule, on windows of 96^3 voxels in batches of 4 and prints
// one line of JSON: seconds and GFLOP/s, and what this machine can do at most, measured just before. VESAL_ENGINE=off runs it through libtorch.
// bench_network CONFIG --weights FILE: writes the weights by rule as torch.save would.
#include <fmt/format.h>

#include <cstring>
#include <iostream>
#include <vector>

#include "base/parallel.h"
#include "base/stopwatch.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "engine/predictor.h"
#include "kernels/convolution_bf16.h"
#include "kernels/peak.h"
#include "rule_weights.h"

namespace vesal {
namespace {

constexpr std::int64_t kBatch = 4, kExtent = 96;

/// GFLOP/s of multiply-adds on registers, on all threads at once or on one.
double peak(int threads) {
  constexpr std::int64_t kRounds = 1 << 25;
  std::vector<double> flops(static_cast<std::size_t>(threads));
  Stopwatch watch;
  parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) flops[static_cast<std::size_t>(begin)] = kernels::multiply_adds(kRounds);
  });
  double sum = 0;
  for (const double f : flops) sum += f;
  return sum * 1e-9 / watch.lap();
}

/// GB/s read and written by copying more than any cache holds, on all threads.
double bandwidth() {
  constexpr std::int64_t kBytes = 256 << 20, kGrain = 1 << 20;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  const auto copy = [&](std::int64_t begin, std::int64_t end) { std::memcpy(&to[begin], &from[begin], static_cast<std::size_t>(end - begin)); };
  Stopwatch watch;
  parallel_for(kBytes, kGrain, copy);
  return 2e-9 * static_cast<double>(kBytes) / watch.lap();
}

void measure(const Value& network, std::int64_t windows, bool bf16) {
  const double one = peak(1), all = peak(thread_count()), memory = bandwidth();
  const auto predictor = network.object<engine::Predictor>();
  predictor->set_bf16(bf16);
  const Array batch = tests::rule_input({kBatch, 1, kExtent, kExtent, kExtent});
  predictor->predict({batch});
  Stopwatch watch;
  for (std::int64_t i = 0; i < windows; i += kBatch) predictor->predict({batch});
  const double seconds = watch.lap();
  fmt::print("{{\"seconds\": {:.4f}, \"peak_one\": {:.1f}, \"peak_all\": {:.1f}, \"gb_per_second\": {:.1f}, \"bf16\": {}}}\n", seconds, one, all,
             memory, kernels::has_bf16());
}

void run(const std::vector<std::string>& words) {
  bundle::ConfigParser parser;
  parser.read_config({words.at(0)});
  const Value network = parser.get_parsed_content("network_def");
  auto& weights = dynamic_cast<bundle::Stateful&>(*network.as_object());
  tests::fill_by_rule(weights);
  if (words.at(1) == "--weights") bundle::write_state_dict(words.at(2), weights.state_dict());
  else measure(network, std::stoll(words.at(1)), words.at(2) == "bf16");
}

}  // namespace
}  // namespace vesal

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: bench_network CONFIG (WINDOWS fp32|bf16 | --weights FILE)\n";
    return 2;
  }
  try {
    vesal::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
