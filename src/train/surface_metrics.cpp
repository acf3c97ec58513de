// Distances between the surfaces of segmentations, as monai.metrics and monai.handlers have them: HausdorffDistanceMetric and HausdorffDistance,
// SurfaceDistanceMetric and SurfaceDistance, SurfaceDiceMetric and SurfaceDice.
#include <cmath>

#include "image/surface_distance.h"
#include "train/metric_handler.h"

namespace vesal::train {
namespace {

using image::DistanceRule;
using image::SurfaceDistances;

/// One number per class from the distances of its surfaces.
class SurfaceMetric : public CumulativeMetric {
 public:
  using Measure = std::function<float(const SurfaceDistances&, std::size_t channel)>;
  SurfaceMetric(const Args& args, std::string name, bool get_not_nans, bool one_way, Measure measure)
      : CumulativeMetric(std::move(name), with_spacing(metric_options(args, get_not_nans))),
        rule_(image::parse_distance_rule(args.get<std::string>("distance_metric"))),
        one_way_(one_way),
        measure_(std::move(measure)) {}

  std::vector<float> score(const Array& given_y_pred, const Array& given_y, const std::vector<double>& given_spacing) const override {
    const auto [y_pred, y] = scored_channels(given_y_pred, given_y, o_.include_background);
    if (y_pred.dim() < 2) throw Error(ErrorKind::shape, "surfaces want items of [C, spatial...], got " + to_string(y_pred.shape()));
    std::vector<double> spacing = given_spacing;
    if (spacing.size() == 1) spacing.resize(static_cast<std::size_t>(y_pred.dim() - 1), spacing[0]);
    std::vector<float> scores;
    for (std::int64_t c = 0; c < y_pred.size(0); ++c)
      scores.push_back(measure_(surface_distances(y_pred.select(0, c), y.select(0, c), spacing, 1, rule_, one_way_), scores.size()));
    return scores;
  }

 private:
  static Options with_spacing(Options options) {
    options.takes_spacing = true;
    return options;
  }
  DistanceRule rule_;
  bool one_way_;
  Measure measure_;
};

CumulativeMetricPtr hausdorff(const Args& args, bool get_not_nans) {
  const auto percentile = args.get<std::optional<double>>("percentile");
  if (percentile && !(*percentile >= 0 && *percentile <= 100)) throw Error(ErrorKind::config, args.component() + ": percentile must lie in [0, 100]");
  const bool directed = args.get<bool>("directed");
  return std::make_shared<SurfaceMetric>(args, "HausdorffDistanceMetric", get_not_nans, directed, [=](const SurfaceDistances& d, std::size_t) {
    return directed ? d.hausdorff_a_to_b(percentile) : d.hausdorff(percentile);
  });
}

CumulativeMetricPtr average_distance(const Args& args, bool get_not_nans) {
  const bool symmetric = args.get<bool>("symmetric");
  return std::make_shared<SurfaceMetric>(args, "SurfaceDistanceMetric", get_not_nans, !symmetric, [=](const SurfaceDistances& d, std::size_t) {
    return symmetric ? d.average_symmetric() : d.average_a_to_b();
  });
}

CumulativeMetricPtr surface_dice(const Args& args, bool get_not_nans, bool subvoxels) {
  const auto tolerances = args.get<std::vector<double>>("class_thresholds");
  for (const double t : tolerances)
    if (!(t >= 0 && std::isfinite(t))) throw Error(ErrorKind::config, args.component() + ": class_thresholds must be finite and no less than 0");
  if (subvoxels)
    throw Error(ErrorKind::unsupported, args.component() + ": use_subvoxels: only whole voxels of the surface are counted; leave it False");
  return std::make_shared<SurfaceMetric>(args, "SurfaceDiceMetric", get_not_nans, false, [=](const SurfaceDistances& d, std::size_t channel) {
    if (channel >= tolerances.size())
      throw Error(ErrorKind::config, std::to_string(tolerances.size()) + " class_thresholds for more classes than that");
    return d.dice(tolerances[channel]);
  });
}

const Param kRule = optional("distance_metric", "euclidean", "euclidean, chessboard or taxicab; only the first knows spacing");
const Param kPercentile = optional("percentile", nullptr, "of the distances, e.g. 95; their maximum without it");
const Param kDirected = optional("directed", false, "only from the predictions to the ground truth");
const Param kSymmetric = optional("symmetric", false, "also from the ground truth to the predictions");
const Param kThresholds = required("class_thresholds", "per class the distance that still counts as right");

const Register hausdorff_metric({.kind = "metric",
                                 .name = "HausdorffDistanceMetric",
                                 .summary = "Largest distance between surfaces, or a percentile; call it with predictions, ground truth and spacing",
                                 .params = {background_param(false), kRule, kPercentile, kDirected, reduction_param(), counts_param()},
                                 .make = [](const Args& args) -> Value { return hausdorff(args, args.get<bool>("get_not_nans")); }});
const Register hausdorff_handler({.kind = "metric",
                                  .name = "HausdorffDistance",
                                  .summary = "Largest distance between surfaces over the items of an epoch, in voxels",
                                  .params = {background_param(false), kRule, kPercentile, kDirected, reduction_param(), transform_param(),
                                             details_param()},
                                  .make = [](const Args& args) -> Value { return make_handler(args, hausdorff(args, false)); }});

const Register distance_metric({.kind = "metric",
                                .name = "SurfaceDistanceMetric",
                                .summary = "Mean distance between surfaces; call it with predictions, ground truth and spacing",
                                .params = {background_param(false), kSymmetric, kRule, reduction_param(), counts_param()},
                                .make = [](const Args& args) -> Value { return average_distance(args, args.get<bool>("get_not_nans")); }});
const Register distance_handler({.kind = "metric",
                                 .name = "SurfaceDistance",
                                 .summary = "Mean distance between surfaces over the items of an epoch, in voxels",
                                 .params = {background_param(false), kSymmetric, kRule, reduction_param(), transform_param(), details_param()},
                                 .make = [](const Args& args) -> Value { return make_handler(args, average_distance(args, false)); }});

const Register dice_metric({.kind = "metric",
                            .name = "SurfaceDiceMetric",
                            .summary = "Share of the surfaces that lie within a tolerance (normalized surface Dice)",
                            .params = {kThresholds, background_param(false), kRule, reduction_param(), counts_param(),
                                       optional("use_subvoxels", false, "weigh surfaces by their area; not available")},
                            .make = [](const Args& args) -> Value {
                              return surface_dice(args, args.get<bool>("get_not_nans"), args.get<bool>("use_subvoxels"));
                            }});
const Register dice_handler({.kind = "metric",
                             .name = "SurfaceDice",
                             .summary = "Share of the surfaces that lie within a tolerance, over the items of an epoch",
                             .params = {kThresholds, background_param(false), kRule, reduction_param(), transform_param(), details_param()},
                             .make = [](const Args& args) -> Value { return make_handler(args, surface_dice(args, false, false)); }});

}  // namespace
}  // namespace vesal::train
