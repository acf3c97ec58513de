#include "tune/forecast.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>

#include "base/parallel.h"
#include "base/registry.h"
#include "engine/predictor.h"

namespace vesal::tune {
namespace {

/// A step of training against a forward pass through libtorch: two more passes of the size, activations that are kept, the optimizer.
constexpr double kTrainingShare = 3.7;
constexpr std::int64_t kScanBytes = 4, kLabelBytes = 1;

double voxels(const std::vector<double>& extents) {
  double n = 1;
  for (const double e : extents) n *= std::max(1.0, e);
  return n;
}

/// Of all threads of this process: what other programs take meanwhile does not count.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Seconds for one patch of the plan.
struct PatchSeconds {
  double forward = 0;     ///< as a training step computes it, without the gradients
  double prediction = 0;  ///< as a validation does
};

/// The better of two passes: the first one also sets things up.
double better_of_two(const std::function<void()>& work) {
  double best = 0;
  for (int pass = 0; pass < 2; ++pass) {
    const double start = processor_seconds();
    work();
    const double seconds = (processor_seconds() - start) / std::max(1, thread_count());
    best = pass == 0 ? seconds : std::min(best, seconds);
  }
  return best;
}

PatchSeconds patch_seconds(const BaseBundle& base, const RecipePlan& plan) {
  CallArgs arguments;
  for (const auto& [key, value] : plan.network_def)
    if (!key.as_string().starts_with("_")) arguments.named.emplace_back(key.as_string(), value);
  const Value made = construct(components::get(plan.network_def.at("_target_").as_string()), arguments);
  auto* network = dynamic_cast<engine::Predictor*>(made.as_object().get());
  if (!network) return {};
  Shape shape{1, base.in_channels};
  shape.insert(shape.end(), plan.patch_size.begin(), plan.patch_size.end());
  const Array patch = Array::zeros(shape, DType::f32);
  PatchSeconds out;
  out.prediction = better_of_two([&] { network->predict({patch}); });
  call_value(*made.as_object()->attribute("train"), {});
  out.forward = better_of_two([&] { call_value(made, {{Value(patch)}, {}}); });
  return out;
}

/// Windows of the inferer over a case of these extents, in patches of the plan.
double windows_as_patches(const InferenceSteps& steps, const RecipePlan& plan, const std::vector<double>& extents) {
  double windows = 1, share = 1;
  const Value* given = steps.inferer.find("overlap");
  const double overlap = given && given->is_number() ? std::clamp(given->as_float(), 0.0, 0.9) : 0.25;
  for (std::size_t d = 0; d < extents.size() && d < plan.patch_size.size(); ++d) {
    const auto patch = static_cast<double>(plan.patch_size[d]);
    const double roi = d < steps.roi_size.size() && steps.roi_size[d] > 0 ? static_cast<double>(steps.roi_size[d]) : std::max(extents[d], patch);
    windows *= std::max(1.0, std::ceil((extents[d] - roi) / (roi * (1 - overlap))) + 1);
    share *= roi / patch;
  }
  return windows * share;
}

}  // namespace

Forecast forecast(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan, const TuningOptions& options) {
  Forecast f;
  judge::CaseSet all = options.training;
  all.cases.insert(all.cases.end(), options.replay.cases.begin(), options.replay.cases.end());
  const auto learned = case_grids(all, steps, base.spatial_dims), judged = case_grids(options.validation, steps, base.spatial_dims);
  if (learned.empty() || judged.empty() || options.recipe != "inference") return f;
  const PatchSeconds patch = patch_seconds(base, plan);
  const auto mean = [](const std::vector<CaseGrid>& grids, const auto& measure) {
    double sum = 0;
    for (const CaseGrid& grid : grids) sum += measure(grid.extents);
    return sum / static_cast<double>(grids.size());
  };
  const auto cases = static_cast<double>(all.cases.size()), validations = static_cast<double>(options.validation.cases.size());
  f.iteration_seconds = patch.forward * kTrainingShare * static_cast<double>(plan.batch_size * plan.samples_per_case);
  f.validation_seconds = validations * patch.prediction * mean(judged, [&](const auto& extents) { return windows_as_patches(steps, plan, extents); });
  f.seconds = f.iteration_seconds * static_cast<double>(plan.epochs * plan.iterations) +
              f.validation_seconds * (1 + std::floor(static_cast<double>(plan.epochs) / static_cast<double>(plan.validation_interval)));
  const double bytes = static_cast<double>(kScanBytes * base.in_channels + kLabelBytes);
  f.cache_bytes = static_cast<std::int64_t>(bytes * (cases * mean(learned, voxels) + validations * mean(judged, voxels)));
  return f;
}

}  // namespace vesal::tune
