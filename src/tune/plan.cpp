#include "tune/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/registry.h"

namespace vesal::tune {
namespace {

constexpr std::int64_t kEpochs = 50, kIterations = 40, kValidations = 10, kPatchesPerStep = 2;
constexpr double kFineTuneRate = 5e-4, kTransferRate = 1e-3, kTransferWarmFactor = 0.1;
constexpr double kMostPatchVoxels = 128.0 * 128 * 128;
constexpr double kStandardMargin = 1.2, kStrongMargin = 1.35;  // of a crop that is rotated and zoomed into a patch
constexpr std::int64_t kMostRepeats = 20;

std::int64_t round_up(double extent, std::int64_t multiple) {
  const auto n = static_cast<std::int64_t>(std::ceil(extent / static_cast<double>(multiple) - 1e-9));
  return std::max<std::int64_t>(1, n) * multiple;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

std::vector<double> median_of(const std::vector<CaseGrid>& grids, std::vector<double> CaseGrid::*which, int dims) {
  std::vector<double> out;
  for (int d = 0; d < dims; ++d) {
    std::vector<double> values;
    for (const CaseGrid& grid : grids) values.push_back((grid.*which)[static_cast<std::size_t>(d)]);
    out.push_back(median(values));
  }
  return out;
}

double volume(const std::vector<std::int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), 1.0, [](double v, std::int64_t e) { return v * static_cast<double>(e); });
}

/// Inference's windows, no larger than half of the cases need, and small enough for an ordinary machine.
std::vector<std::int64_t> default_patch(const BaseBundle& base, const InferenceSteps& steps, const std::vector<double>& extents) {
  const auto multiple = patch_multiple(base);
  std::vector<std::int64_t> patch;
  for (std::size_t d = 0; d < static_cast<std::size_t>(base.spatial_dims); ++d) {
    const std::int64_t roi = d < steps.roi_size.size() ? steps.roi_size[d] : -1;
    const std::int64_t there = extents[d] > 0 ? round_up(extents[d], multiple[d]) : 96;
    patch.push_back(roi > 0 ? std::min(roi, there) : there);
  }
  while (volume(patch) > kMostPatchVoxels) {
    const auto largest = static_cast<std::size_t>(std::max_element(patch.begin(), patch.end()) - patch.begin());
    if (patch[largest] <= multiple[largest]) break;
    patch[largest] = std::max(multiple[largest], (patch[largest] - 1) / multiple[largest] * multiple[largest]);
  }
  return patch;
}

void check_patch(const BaseBundle& base, const std::vector<std::int64_t>& patch) {
  const auto multiple = patch_multiple(base);
  if (patch.size() != static_cast<std::size_t>(base.spatial_dims))
    throw Error(ErrorKind::usage, fmt::format("--patch has {} extents, the network works in {} dimensions", patch.size(), base.spatial_dims));
  for (std::size_t d = 0; d < patch.size(); ++d)
    if (patch[d] < multiple[d] || patch[d] % multiple[d] != 0 || patch[d] > 1024)
      throw Error(ErrorKind::usage, fmt::format("--patch {}: each extent has to be a multiple of {}, which {} halves its input to, 1024 at most",
                                                patch[d], multiple[d], base.network));
}

std::int64_t positive(const std::optional<std::int64_t>& given, std::int64_t fallback, const char* name, std::int64_t most = 1000000) {
  const std::int64_t n = given.value_or(fallback);
  if (n < 1 || n > most) throw Error(ErrorKind::usage, fmt::format("--{} {}: want 1 to {}", name, n, most));
  return n;
}

double rate(const std::optional<double>& given, double fallback, const char* name) {
  const double r = given.value_or(fallback);
  if (!(r > 0 && r <= 1)) throw Error(ErrorKind::usage, fmt::format("--{} {}: want a number above 0, 1 at most", name, r));
  return r;
}

/// How often a pass shows each case so that of 100 samples `share` are replayed ones.
void share_replay(RecipePlan& plan, const TuningOptions& options) {
  const auto own = static_cast<double>(options.training.cases.size()), old = static_cast<double>(options.replay.cases.size());
  plan.replay_repeats = old > 0 ? 1 : 0;
  if (options.replay_share < 0 || options.replay_share > 99)
    throw Error(ErrorKind::usage, fmt::format("--replay-share {}: want a number from 0 to 99", options.replay_share));
  if (old == 0 || options.replay_share == 0) return;
  const double wanted = static_cast<double>(options.replay_share) / 100;
  double best = 2;
  for (std::int64_t a = 1; a <= kMostRepeats; ++a)
    for (std::int64_t b = 1; b <= kMostRepeats; ++b) {
      const double shares = static_cast<double>(b) * old, miss = std::abs(shares / (shares + static_cast<double>(a) * own) - wanted);
      if (miss < best - 1e-9) best = miss, plan.case_repeats = a, plan.replay_repeats = b;
    }
}

}  // namespace

std::vector<std::int64_t> patch_multiple(const BaseBundle& base) {
  const auto dims = static_cast<std::size_t>(base.spatial_dims);
  std::vector<std::int64_t> multiple(dims, 1);
  const auto argument = [&](const char* name) {
    const Value* given = base.network_def.find(name);
    if (given) return *given;
    for (const Param& p : components::get(base.network).params)
      if (p.name == name && p.fallback) return *p.fallback;
    return Value();
  };
  if (const Value strides = argument("strides"); strides.is_sequence()) {
    for (const Value& level : strides.items()) {
      auto per_axis = cast<std::vector<std::int64_t>>(level);
      per_axis.resize(dims, per_axis.empty() ? 1 : per_axis[0]);
      for (std::size_t d = 0; d < dims; ++d) multiple[d] *= std::clamp<std::int64_t>(per_axis[d], 1, 64);
    }
  } else if (const Value blocks = argument("blocks_down"); blocks.is_sequence() && !blocks.items().empty()) {
    multiple.assign(dims, std::int64_t{1} << std::min<std::size_t>(blocks.items().size() - 1, 10));
  } else {
    multiple.assign(dims, base.network == "BasicUNet" ? 16 : 32);
  }
  return multiple;
}

RecipePlan make_plan(const BaseBundle& base, const InferenceSteps& steps, const StartWeights& start, const TuningOptions& options) {
  const bool transfer = !options.classes.empty();
  RecipePlan plan;
  const auto grids = case_grids(options.training, steps, base.spatial_dims);
  const auto extents = median_of(grids, &CaseGrid::extents, base.spatial_dims);
  plan.spacing = median_of(grids, &CaseGrid::spacing, base.spatial_dims);
  plan.patch_size = options.patch_size.value_or(std::vector<std::int64_t>{});
  if (options.patch_size) check_patch(base, plan.patch_size);
  else plan.patch_size = default_patch(base, steps, extents);

  if (options.augmentation != "none" && options.augmentation != "standard" && options.augmentation != "strong")
    throw Error(ErrorKind::usage, "--augment " + options.augmentation + ": want none, standard or strong");
  plan.augmentation = options.augmentation;
  const double margin = options.augmentation == "strong" ? kStrongMargin : kStandardMargin;
  for (std::size_t d = 0; d < plan.patch_size.size(); ++d) {
    const auto roomy = round_up(static_cast<double>(plan.patch_size[d]) * margin, 2);
    const auto there = extents[d] > 0 ? static_cast<std::int64_t>(extents[d]) : roomy;
    plan.crop_size.push_back(std::max(plan.patch_size[d], std::min(roomy, there)));
  }

  const auto cases = static_cast<std::int64_t>(options.training.cases.size() + options.replay.cases.size());
  plan.batch_size = positive(options.batch_size, std::clamp<std::int64_t>(cases, 1, kPatchesPerStep), "batch-size", 256);
  plan.samples_per_case = positive(options.samples_per_case, std::max<std::int64_t>(1, kPatchesPerStep / plan.batch_size), "samples-per-case", 256);
  plan.epochs = positive(options.epochs, kEpochs, "epochs");
  plan.iterations = positive(options.iterations, kIterations, "iterations");
  plan.validation_interval = std::max<std::int64_t>(1, plan.epochs / kValidations);
  if (options.patience < 0) throw Error(ErrorKind::usage, fmt::format("--patience {}: want 0 or more", options.patience));
  plan.patience = options.patience;
  plan.start_counts = options.start_counts;
  plan.learning_rate = rate(options.learning_rate, transfer ? kTransferRate : kFineTuneRate, "lr");
  plan.warm_factor = rate(options.warm_factor, transfer ? kTransferWarmFactor : 1, "warm-factor");
  plan.seed = options.seed;

  plan.out_channels = transfer ? static_cast<std::int64_t>(options.classes.size()) : base.out_channels;
  plan.network_def = with_out_channels(base, plan.out_channels);
  plan.freeze = freeze_pattern(options.freeze, base.network, start.parameters);
  if (transfer) plan.full_rate = start.fresh;
  else if (plan.warm_factor != 1) plan.full_rate = head_parameters(base.network, start.parameters);
  if (plan.full_rate.empty()) plan.warm_factor = 1;
  plan.label_map = options.label_map;
  share_replay(plan, options);
  return plan;
}

}  // namespace vesal::tune
