#include "tune/recipe_steps.h"

#include <algorithm>
#include <set>

#include "base/registry.h"

namespace vesal::tune {
namespace {

const Value kBoth = List{{Value("image"), Value("label")}};

/// Transforms that move voxels, so that the label has to follow.
const std::set<std::string> kSpatial{"LoadImaged",
                                     "EnsureChannelFirstd",
                                     "Orientationd",
                                     "Spacingd",
                                     "SpatialResampled",
                                     "Resized",
                                     "Zoomd",
                                     "Flipd",
                                     "Rotated",
                                     "Rotate90d",
                                     "SpatialPadd",
                                     "BorderPadd",
                                     "DivisiblePadd",
                                     "SpatialCropd",
                                     "CenterSpatialCropd",
                                     "Transposed",
                                     "CenterScaleCropd",
                                     "CropForegroundd",
                                     "ResizeWithPadOrCropd",
                                     "EnsureTyped",
                                     "ToTensord",
                                     "SqueezeDimd"};
const std::set<std::string> kInterpolating{"Spacingd", "SpatialResampled", "Resized", "Zoomd", "Rotated"};
/// Transforms of the scan's values alone.
const std::set<std::string> kValues{"ScaleIntensityd",
                                    "ScaleIntensityRanged",
                                    "ScaleIntensityRangePercentilesd",
                                    "ScaleIntensityFixedMeand",
                                    "NormalizeIntensityd",
                                    "ShiftIntensityd",
                                    "StdShiftIntensityd",
                                    "ThresholdIntensityd",
                                    "ClipIntensityPercentilesd",
                                    "AdjustContrastd",
                                    "GaussianSmoothd",
                                    "MedianSmoothd",
                                    "HistogramNormalized",
                                    "CastToTyped",
                                    "Lambdad",
                                    "RepeatChanneld",
                                    "Identityd"};

Dict both_keys(Dict step, const std::string& name) {
  step["keys"] = kBoth;
  if (!kInterpolating.contains(name)) return step;
  const Value* mode = step.find("mode");
  const Value own = mode ? (mode->is_sequence() ? mode->items().at(0) : *mode) : Value(name == "Resized" || name == "Zoomd" ? "area" : "bilinear");
  step["mode"] = List{{own, Value("nearest")}};
  return step;
}

/// The labels that stay, and what they are called in the bundle.
void add_label_map(List& steps, const RecipePlan& plan) {
  if (plan.label_map.empty()) return;
  std::set<std::int64_t> kept;
  for (const auto& [from, to] : plan.label_map) kept.insert(from);
  const bool replay = plan.replay_repeats > 0;
  if (replay)
    for (std::int64_t c = 1; c < std::max<std::int64_t>(plan.out_channels, 2); ++c) kept.insert(c);
  List applied, from, to, own, replayed;
  const auto pair = [](std::int64_t a, std::int64_t b) { return Value(List{{Value(a), Value(b)}}); };
  for (const std::int64_t label : kept) {
    applied.items.emplace_back(label);
    const auto mapped = plan.label_map.find(label);
    const std::int64_t target = mapped == plan.label_map.end() ? 0 : mapped->second;
    own.items.push_back(pair(label, target));
    replayed.items.push_back(pair(label, label < std::max<std::int64_t>(plan.out_channels, 2) ? label : 0));
    if (target != label) from.items.emplace_back(label), to.items.emplace_back(target);
  }
  steps.items.push_back(Dict{{"_target_", "LabelFilterd"}, {"keys", "label"}, {"applied_labels", applied}});
  if (replay)
    steps.items.push_back(Dict{{"_target_", "Relabeld"},
                               {"keys", "label"},
                               {"label_mappings", Dict{{"new", own}, {"replay", replayed}}},
                               {"dtype", "$numpy.float32"},
                               {"dataset_key", "origin"}});
  else if (!from.items.empty())
    steps.items.push_back(Dict{{"_target_", "MapLabelValued"}, {"keys", "label"}, {"orig_labels", from}, {"target_labels", to}});
}

Dict per_axis(const char* key, double value, const RecipePlan& plan) {
  List list;
  for (std::size_t i = 0; i < plan.patch_size.size(); ++i) list.items.emplace_back(value);
  return Dict{{key, list}};
}

/// Radians about each axis; out of a plane of thick slices next to nothing.
List rotation(double radians, const RecipePlan& plan) {
  if (plan.patch_size.size() == 2) return List{{Value(radians)}};
  List list;
  for (int axis = 0; axis < 3; ++axis) {
    double largest = 0, smallest = 1e30;
    for (int other = 0; other < 3 && plan.spacing.size() == 3; ++other)
      if (other != axis) largest = std::max(largest, plan.spacing[other]), smallest = std::min(smallest, plan.spacing[other]);
    list.items.emplace_back(largest > 2.5 * smallest ? radians / 5 : radians);
  }
  return list;
}

/// How strongly a level of augmentation changes things; shares of the value range where values are meant.
struct Strength {
  double affine, rotate, zoom, shear;
  double noise, noise_std, smooth, smooth_sigma;
  double values, scale, shift;
  double gamma, gamma_low, gamma_high;
  double resolution, bias, histogram;
};
constexpr Strength kStandard{0.7, 0.15, 0.12, 0, 0.2, 0.03, 0.15, 1.0, 0.4, 0.1, 0.08, 0.25, 0.8, 1.25, 0, 0, 0};
constexpr Strength kStrong{0.9, 0.35, 0.25, 0.08, 0.3, 0.07, 0.25, 1.5, 0.6, 0.25, 0.2, 0.4, 0.6, 1.7, 0.25, 0.15, 0.2};

void add_values(List& steps, const Strength& s, const std::optional<ValueRange>& range) {
  const auto add = [&](Dict step) { steps.items.push_back(std::move(step)); };
  const auto span = [](double low, double high) { return List{{Value(low), Value(high)}}; };
  if (s.resolution > 0 && components::find("RandSimulateLowResolutiond"))
    add({{"_target_", "RandSimulateLowResolutiond"}, {"keys", "image"}, {"prob", s.resolution}, {"zoom_range", span(0.5, 1)}});
  if (s.bias > 0) add({{"_target_", "RandBiasFieldd"}, {"keys", "image"}, {"prob", s.bias}, {"coeff_range", span(0, 0.1)}});
  add({{"_target_", "RandScaleIntensityd"}, {"keys", "image"}, {"factors", s.scale}, {"prob", s.values}});
  if (range) add({{"_target_", "RandShiftIntensityd"}, {"keys", "image"}, {"offsets", s.shift * (range->high - range->low)}, {"prob", s.values}});
  add({{"_target_", "RandAdjustContrastd"}, {"keys", "image"}, {"prob", s.gamma}, {"gamma", span(s.gamma_low, s.gamma_high)}});
  if (s.histogram > 0)
    add({{"_target_", "RandHistogramShiftd"}, {"keys", "image"}, {"num_control_points", List{{Value(6), Value(10)}}}, {"prob", s.histogram}});
  Dict smooth{{"_target_", "RandGaussianSmoothd"}, {"keys", "image"}, {"prob", s.smooth}};
  for (const char* axis : {"sigma_x", "sigma_y", "sigma_z"}) smooth[axis] = span(0.4, s.smooth_sigma);
  add(smooth);
  if (range)
    add({{"_target_", "RandGaussianNoised"}, {"keys", "image"}, {"prob", s.noise}, {"mean", 0.0}, {"std", s.noise_std * (range->high - range->low)}});
}

}  // namespace

std::optional<ValueRange> value_range(const InferenceSteps& steps) {
  std::optional<ValueRange> range;
  for (const Dict& step : steps.preprocessing) {
    const std::string name = step.at("_target_").as_string();
    const auto number = [&](const char* key, std::optional<double> fallback) {
      const Value* v = step.find(key);
      return v && v->is_number() ? std::optional<double>(v->as_float()) : fallback;
    };
    const Value* clip = step.find("clip");
    const bool clipped = clip && clip->truthy();
    std::optional<double> low, high;
    if (name == "ScaleIntensityRanged" || name == "ScaleIntensityRangePercentilesd") low = number("b_min", {}), high = number("b_max", {});
    else if (name == "ScaleIntensityd") low = number("minv", 0), high = number("maxv", 1);
    else if (name == "NormalizeIntensityd") low = -2, high = 2;
    else continue;
    range = low && high && *low < *high ? std::optional<ValueRange>({*low, *high, clipped && name != "NormalizeIntensityd"}) : std::nullopt;
  }
  return range;
}

List fixed_steps(const InferenceSteps& steps, const RecipePlan& plan) {
  constexpr std::int64_t kMostByteLabels = 256;
  List out;
  std::size_t mapped_after = 0;
  for (std::size_t i = 0; i < steps.preprocessing.size(); ++i) {
    const std::string name = steps.preprocessing[i].at("_target_").as_string();
    if (kSpatial.contains(name) && name != "EnsureTyped" && name != "ToTensord") mapped_after = i;
  }
  bool first_is_channel = false;
  for (std::size_t i = 0; i < steps.preprocessing.size(); ++i) {
    const Dict& step = steps.preprocessing[i];
    const std::string name = step.at("_target_").as_string();
    if (name == "ToDeviced") continue;
    if (kSpatial.contains(name)) {
      const bool filled = step.contains("value") || step.contains("constant_values");
      const bool typed = (name == "EnsureTyped" && step.contains("dtype")) || filled;
      if (typed) {
        Dict label = step;
        for (const char* own : {"dtype", "value", "constant_values"}) label.erase(own);
        label["keys"] = "label";
        out.items.push_back(step);
        out.items.push_back(label);
      } else {
        out.items.push_back(both_keys(step, name));
      }
    } else if (kValues.contains(name)) {
      out.items.push_back(step);
    } else {
      throw Error(ErrorKind::unsupported, "the preprocessing's " + name +
                                              " may move voxels, and vesal does not know how a label follows it; use the bundle's own training "
                                              "configuration instead (--recipe bundle)");
    }
    const Value* early = step.find("ensure_channel_first");
    first_is_channel = first_is_channel || name == "EnsureChannelFirstd" || (early && early->truthy());
    if (i == mapped_after) {
      if (!first_is_channel) out.items.push_back(Dict{{"_target_", "EnsureChannelFirstd"}, {"keys", "label"}});
      add_label_map(out, plan);
    }
  }
  if (plan.out_channels <= kMostByteLabels)  // a cached label takes a quarter of the memory
    out.items.push_back(Dict{{"_target_", "CastToTyped"}, {"keys", "label"}, {"dtype", "$numpy.uint8"}});
  return out;
}

List random_steps(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan) {
  List out;
  const std::optional<ValueRange> range = value_range(steps);
  const Value* padding = steps.inferer.find("padding_mode");
  const bool edge = padding && padding->is_string() && padding->as_string() == "replicate";
  const bool moves = plan.augmentation != "none";
  const char* cut = moves ? "@crop_size" : "@patch_size";
  out.items.push_back(Dict{{"_target_", "SpatialPadd"}, {"keys", kBoth}, {"spatial_size", cut}, {"mode", edge ? "edge" : "constant"}});
  Dict crop{{"_target_", "RandCropByPosNegLabeld"}, {"keys", kBoth}, {"label_key", "label"}, {"spatial_size", cut}};
  if (plan.out_channels > 2) {
    crop["_target_"] = "RandCropByLabelClassesd";
    crop["num_classes"] = plan.out_channels;
  } else {
    crop["pos"] = 2;
    crop["neg"] = 1;
  }
  crop["num_samples"] = "@samples_per_case";
  if (range && range->floor) {
    crop["image_key"] = "image";
    crop["image_threshold"] = range->low;
  }
  out.items.push_back(std::move(crop));
  if (!moves) return out;

  const Strength& s = plan.augmentation == "strong" ? kStrong : kStandard;
  Dict affine{
      {"_target_", "RandAffined"}, {"keys", kBoth}, {"prob", s.affine}, {"spatial_size", "@patch_size"}, {"rotate_range", rotation(s.rotate, plan)}};
  affine["scale_range"] = per_axis("v", s.zoom, plan).at("v");
  if (s.shear > 0) {
    List shear;
    for (std::size_t i = 0; i < (plan.patch_size.size() == 2 ? 2u : 6u); ++i) shear.items.emplace_back(s.shear);
    affine["shear_range"] = shear;
  }
  affine["mode"] = List{{Value("bilinear"), Value("nearest")}};
  affine["padding_mode"] = "border";
  out.items.push_back(std::move(affine));
  Strength values = s;
  const Value* inputs = base.facts.metadata.is_dict() ? base.facts.metadata.as_dict().find("network_data_format") : nullptr;
  if (inputs && inputs->repr().find("'modality': 'CT'") != std::string::npos) values.bias = 0;  // a coil's shading; CT has none
  add_values(out, values, range);
  return out;
}

}  // namespace vesal::tune
