// bench_training CONFIG THREADS [ID=VALUE ...]: trains as bench/training/train.json says and prints one line of JSON: seconds and CPU seconds of
// each iteration (network, loss, optimizer, with all the trainer does around them), and seconds each waited for its batch.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "bundle/config.h"
#include "infer/workflow.h"

namespace vesal {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void run(int argc, char** argv) {
  set_thread_count(std::stoi(argv[2]));
  set_progress_visible(false);
  bundle::ConfigParser parser;
  parser.read_config({argv[1]});
  for (int i = 3; i < argc; ++i) {
    const std::string given = argv[i];
    parser.override_with(given.substr(0, given.find('=')), given.substr(given.find('=') + 1));
  }
  const auto trainer = parser.object<infer::Workflow>("trainer");
  std::vector<double> seconds, cpu, waited;
  double began = 0, began_cpu = 0, ended = now();
  trainer->on(infer::Event::iteration_started, [&](infer::Workflow&) {
    began = now(), began_cpu = cpu_seconds();
    waited.push_back(began - ended);
  });
  trainer->on(infer::Event::iteration_completed, [&](infer::Workflow&) {
    ended = now();
    seconds.push_back(ended - began), cpu.push_back(cpu_seconds() - began_cpu);
  });
  ended = now();
  trainer->run();
  fmt::print("{{\"seconds\": [{:.4f}], \"cpu_seconds\": [{:.4f}], \"waited\": [{:.4f}], \"peak_bytes\": {}}}\n", fmt::join(seconds, ", "),
             fmt::join(cpu, ", "), fmt::join(waited, ", "), peak_memory());
}

}  // namespace
}  // namespace vesal

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_training CONFIG THREADS [ID=VALUE ...]\n";
    return 2;
  }
  try {
    vesal::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
