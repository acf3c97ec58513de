// The stages between scan and mask, on arrays of the size hospitals have.
#include <benchmark/benchmark.h>

#include "base/registry.h"
#include "engine/predictor.h"
#include "infer/sliding_window.h"
#include "rule_weights.h"
#include "transforms/transform.h"

namespace vesal {
namespace {

Value make(const char* component, std::vector<std::pair<std::string, Value>> arguments) {
  return construct(components::get(component), {{}, std::move(arguments)});
}

Value list_of(std::initializer_list<Value> values) { return List{values}; }

Value scan() { return image::to_value(image::Image(Array::full({1, 512, 512, 100}, DType::f32, 40), image::Affine::scale(0.8, 0.8, 2.5))); }

void spacing(benchmark::State& state) {
  const Value transform = make("Spacing", {{"pixdim", list_of({1.5, 1.5, 2.0})}, {"mode", "bilinear"}});
  const Value image = scan();
  for (auto _ : state) benchmark::DoNotOptimize(transforms::apply(transform, image));
}
BENCHMARK(spacing)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Two channels of probabilities back to the scan's grid, and their argmax: what postprocessing costs.
void invert_and_argmax(benchmark::State& state) {
  const Value spaced = transforms::apply(make("Spacing", {{"pixdim", list_of({1.5, 1.5, 2.0})}, {"mode", "bilinear"}}), scan());
  const auto image = spaced.object<image::Image>();
  Shape shape = image->shape();
  shape[0] = 2;
  const Value item = Dict{{"image", spaced}, {"pred", image::to_value(image->with(tests::rule_input(shape)))}};
  const Value invert = make("Invertd", {{"keys", "pred"}, {"transform", Value()}, {"orig_keys", "image"}, {"nearest_interp", false}});
  const Value argmax = make("AsDiscreted", {{"keys", "pred"}, {"argmax", true}});
  for (auto _ : state) benchmark::DoNotOptimize(transforms::apply(argmax, transforms::apply(invert, item)));
}
BENCHMARK(invert_and_argmax)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Cutting out and blending windows alone: the network gives what it gave before.
void sliding_window(benchmark::State& state) {
  infer::SlidingWindowInferer::Options options;
  options.roi_size = {96, 96, 96};
  options.sw_batch_size = 4;
  options.overlap = {0.5};
  options.mode = state.range(0) ? infer::BlendMode::gaussian : infer::BlendMode::constant;
  const infer::SlidingWindowInferer inferer(options);
  const Array image = Array::zeros({1, 1, 240, 200, 168}, DType::f32), result = Array::zeros({4, 2, 96, 96, 96}, DType::f32);
  for (auto _ : state)
    benchmark::DoNotOptimize(inferer.infer(image, [&](const Array& batch) { return infer::Outputs{{result.slice(0, 0, batch.size(0))}, {}}; }));
}
BENCHMARK(sliding_window)->ArgName("gaussian")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The spleen bundle's UNet on windows of 96^3 voxels; 10.24 GFLOP each.
void network(benchmark::State& state) {
  const Value unet = make("UNet", {{"spatial_dims", 3},
                                   {"in_channels", 1},
                                   {"out_channels", 2},
                                   {"channels", list_of({16, 32, 64, 128, 256})},
                                   {"strides", list_of({2, 2, 2, 2})},
                                   {"num_res_units", 2},
                                   {"norm", "batch"}});
  tests::fill_by_rule(dynamic_cast<bundle::Stateful&>(*unet.as_object()));
  const auto predictor = unet.object<engine::Predictor>();
  const Array windows = tests::rule_input({state.range(0), 1, 96, 96, 96});
  for (auto _ : state) benchmark::DoNotOptimize(predictor->predict({windows}));
  state.counters["GFLOP/s"] = benchmark::Counter(10.24 * static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(network)->ArgName("windows")->Arg(1)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vesal
