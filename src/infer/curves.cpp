#include "infer/curves.h"

#include <cmath>

namespace vesal::infer {
namespace {

using image::Series;

/// Whether all that is drawn is positive and spans more than a factor of 30.
bool spans_decades(const std::vector<Series>& series) {
  double low = INFINITY, high = 0;
  for (const Series& s : series)
    for (const double v : s.y) {
      if (!std::isfinite(v)) continue;
      if (v <= 0) return false;
      low = std::min(low, v), high = std::max(high, v);
    }
  return high > 30 * low;
}

}  // namespace

std::vector<image::Plot> curve_panels(const Curves& c) {
  return {{.title = "Training",
           .x_label = "epoch",
           .y_label = "loss",
           .series = c.losses,
           .log_y = spans_decades(c.losses),
           .right = c.learning_rates,
           .right_label = "learning rate",
           .log_right = spans_decades(c.learning_rates)},
          {.title = "Validation", .x_label = "epoch", .y_label = "metric", .series = c.metrics}};
}

void write_curves(const std::filesystem::path& path, const Curves& curves) {
  image::write_plots(path, curve_panels(curves), {.title = curves.title, .shared_x = true});
}

}  // namespace vesal::infer
