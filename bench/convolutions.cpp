// The convolutions of the model zoo's spleen UNet, and what this machine could do at most: GFLOP/s of one core.
#include <benchmark/benchmark.h>

#include "base/parallel.h"
#include "kernels/convolution.h"
#include "kernels/peak.h"

namespace vesal::kernels {
namespace {

void peak(benchmark::State& state) {
  double flops = 0;
  for (auto _ : state) flops += multiply_adds(1 << 20);
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsRate);
}

/// in channels, out channels, extent of the output's axes, kernel, stride, transposed.
void convolution(benchmark::State& state, Precision precision) {
  set_thread_count(1);
  ConvolutionShape s;
  s.in_channels = state.range(0), s.out_channels = state.range(1);
  const std::int64_t extent = state.range(2), kernel = state.range(3), stride = state.range(4);
  s.transposed = state.range(5) != 0;
  s.out = {extent, extent, extent};
  const std::int64_t in = s.transposed ? extent / stride : extent * stride;
  s.in = {in, in, in};
  s.kernel = {kernel, kernel, kernel}, s.stride = {stride, stride, stride};
  const std::int64_t padding = (kernel - 1) / 2;
  s.padding = {padding, padding, padding};
  const std::vector<float> weight(static_cast<std::size_t>(s.in_channels * s.out_channels * voxels(s.kernel)), 0.01f);
  const auto run = Convolution::make(s, weight.data(), nullptr, precision);
  std::vector<float> inputs(static_cast<std::size_t>(activation_size(s.in_channels, s.in)), 1.0f);
  std::vector<float> outputs(static_cast<std::size_t>(activation_size(s.out_channels, s.out)));
  ConvolutionCall call;
  call.in = {inputs.data(), s.in_channels, s.in, s.in_channels <= kMostPlanarChannels, 0};
  call.out = {outputs.data(), s.out_channels, s.out, s.out_channels <= kMostPlanarChannels, 0};
  call.in.pitch = call.in.part_size(), call.out.pitch = call.out.part_size();
  call.function = {Function::prelu, {0.2f}};
  double flops = 0;
  for (auto _ : state) {
    run->run(call);
    flops += s.flops();
  }
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsRate);
}

BENCHMARK(peak);
void spleen_unet(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "extent", "kernel", "stride", "transposed"})->Unit(benchmark::kMillisecond);
  for (const std::vector<std::int64_t>& args : std::vector<std::vector<std::int64_t>>{{1, 16, 48, 3, 2, 0},
                                                                                      {16, 16, 48, 3, 1, 0},
                                                                                      {16, 32, 24, 3, 2, 0},
                                                                                      {32, 32, 24, 3, 1, 0},
                                                                                      {32, 64, 12, 3, 2, 0},
                                                                                      {64, 64, 12, 3, 1, 0},
                                                                                      {64, 128, 6, 3, 2, 0},
                                                                                      {128, 128, 6, 3, 1, 0},
                                                                                      {128, 256, 6, 3, 1, 0},
                                                                                      {128, 256, 6, 1, 1, 0},
                                                                                      {384, 64, 12, 3, 2, 1},
                                                                                      {64, 16, 48, 3, 2, 1},
                                                                                      {32, 2, 96, 3, 2, 1},
                                                                                      {2, 2, 96, 3, 1, 0},
                                                                                      {16, 16, 96, 3, 1, 0},
                                                                                      {16, 16, 96, 1, 1, 0},
                                                                                      {16, 105, 96, 1, 1, 0}})
    b->Args(args);
}
BENCHMARK_CAPTURE(convolution, fp32, Precision::fp32)->Apply(spleen_unet);
BENCHMARK_CAPTURE(convolution, bf16, Precision::bf16)->Apply(spleen_unet);

}  // namespace
}  // namespace vesal::kernels
