// Reading and writing scans.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "image/formats.h"
#include "image/phantom.h"

namespace vesal {
namespace {

/// 1 x 1 x 2.5 mm, about 8 million voxels; made once.
const image::Phantom& phantom() {
  static const image::Phantom made = image::make_phantom(1, {.spacing = {1, 1, 2.5}, .orientation = "RAS", .slab_mm = 150});
  return made;
}

std::filesystem::path scratch(const char* name) { return std::filesystem::temp_directory_path() / name; }

void write(benchmark::State& state, const image::Image& image, DType type, const char* name) {
  const auto path = scratch(name);
  for (auto _ : state) image::write_image(path, image, {.dtype = type});
  state.SetBytesProcessed(state.iterations() * image.array().numel() * static_cast<std::int64_t>(size_of(type)));
  std::filesystem::remove(path);
}

void write_scan_gz(benchmark::State& state) { write(state, phantom().ct, DType::i16, "vesal_bench_scan.nii.gz"); }
void write_mask_gz(benchmark::State& state) { write(state, phantom().labels, DType::u8, "vesal_bench_mask.nii.gz"); }
BENCHMARK(write_scan_gz)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(write_mask_gz)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_scan_gz(benchmark::State& state) {
  const auto path = scratch("vesal_bench_read.nii.gz");
  image::write_image(path, phantom().ct, {.dtype = DType::i16});
  for (auto _ : state) benchmark::DoNotOptimize(image::read_image(path, {.dtype = DType::f32}));
  state.SetBytesProcessed(state.iterations() * phantom().ct.array().numel() * 2);
  std::filesystem::remove(path);
}
BENCHMARK(read_scan_gz)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vesal
