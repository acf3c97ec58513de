// Reading DICOM series: 512 slices of 512 x 512, uncompressed.
#include <benchmark/benchmark.h>

#include <cstring>
#include <filesystem>

#include "base/memory.h"
#include "base/parallel.h"
#include "dicom_writer.h"
#include "image/dicom_select.h"
#include "image/voxels.h"

namespace vesal {
namespace {

constexpr std::int64_t kSide = 512;

/// Written once, removed at the end of the program.
class Series {
 public:
  Series() : folder_(std::filesystem::temp_directory_path() / "vesal_bench_dicom") {
    Array slab = Array::empty({kSide, kSide, 1}, DType::i16);
    for (std::int64_t i = 0; i < slab.numel(); ++i) slab.data<std::int16_t>()[i] = static_cast<std::int16_t>(i * 31 % 3000 - 1000);
    for (std::int64_t z = 0; z < kSide; ++z) {
      const image::Affine place{{{{-0.7, 0, 0, 0}, {0, -0.7, 0, 0}, {0, 0, 1, static_cast<double>(z * 367 % kSide)}, {0, 0, 0, 1}}}};
      tests::write_dicom(folder_, image::Image(slab, place), {.prefix = fmt::format("{:04}_", z), .change = [z](tests::DataSet& d, std::int64_t) {
                                                                tests::put(d, 0x00080018, gdcm::VR::UI, fmt::format("2.25.3.{}", z));
                                                              }});
    }
  }
  ~Series() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};
const Series& series() {
  static const Series made;
  return made;
}

void read_dicom_headers(benchmark::State& state) {
  const auto& folder = series().folder();
  for (auto _ : state) benchmark::DoNotOptimize(image::choose_volume(image::read_dicom_study(folder)));
  state.SetItemsProcessed(state.iterations() * kSide);
}
BENCHMARK(read_dicom_headers)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What nobody can undercut: the same files copied into fresh memory, in parallel.
void copy_dicom_files(benchmark::State& state) {
  const auto files = image::find_dicom_files(series().folder());
  constexpr std::int64_t kSlice = kSide * kSide * 2;
  for (auto _ : state) {
    const auto buffer = image::allocate(kSide * kSlice);
    parallel_for(kSide, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t z = begin; z < end; ++z) {
        const auto bytes = files[static_cast<std::size_t>(z)].open();
        std::memcpy(static_cast<std::byte*>(buffer.get()) + z * kSlice, bytes.bytes.last(kSlice).data(), kSlice);
      }
    });
    benchmark::DoNotOptimize(buffer.get());
  }
  state.SetBytesProcessed(state.iterations() * kSide * kSlice);
}
BENCHMARK(copy_dicom_files)->Unit(benchmark::kMillisecond)->UseRealTime();

/// "peak_over_volume": how much more memory than before reading was taken at the most, in volumes; of the first benchmark that takes that much.
void read_dicom_series(benchmark::State& state) {
  const auto& folder = series().folder();
  const double volume = kSide * kSide * kSide * 2.0;
  const auto before = static_cast<double>(resident_memory());
  for (auto _ : state) benchmark::DoNotOptimize(image::read_image(folder));
  state.SetBytesProcessed(state.iterations() * kSide * kSide * kSide * 2);
  state.counters["peak_over_volume"] = (static_cast<double>(peak_memory()) - before) / volume;
}
BENCHMARK(read_dicom_series)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vesal
