#include "image/plot_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vesal::image {
namespace {

constexpr double kLargest = 1e300;  ///< so that no difference overflows

/// The step of 1, 2 or 5 times a power of ten that comes closest to so many steps.
double round_step(double span, int about) {
  const double rough = span / std::max(1, about), power = std::pow(10.0, std::floor(std::log10(rough))), times = rough / power;
  return power * (times < 1.5 ? 1 : times < 3.2 ? 2 : times < 7.1 ? 5 : 10);
}

/// As short as tells neighbours apart: 0.05, 120, 2e-05.
std::string label_of(double value, double step) {
  if (std::fabs(value) < step * 1e-6) return "0";
  const double size = std::max(std::fabs(value), step);
  if (size >= 1e6 || size < 1e-3) return fmt::format("{:.{}g}", value, std::clamp(static_cast<int>(std::ceil(std::log10(size / step))) + 1, 1, 6));
  return fmt::format("{:.{}f}", value, std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9));
}

}  // namespace

bool PlotAxis::shows(double value) const { return std::isfinite(value) && (!log_ || value > 0); }
double PlotAxis::scaled(double value) const { return log_ ? std::log10(value) : std::clamp(value, -kLargest, kLargest); }

void PlotAxis::cover(double value) {
  if (!shows(value)) return;
  const double v = scaled(value);
  low_ = any_ ? std::min(low_, v) : v;
  high_ = any_ ? std::max(high_, v) : v;
  any_ = true;
}

void PlotAxis::finish(double margin) {
  const double middle = low_ / 2 + high_ / 2;
  if (const double least = std::max(std::fabs(middle) * 1e-9, log_ ? 0.1 : 1e-300); high_ - low_ < least) {
    const double half = log_ ? 0.5 : whole_ ? 1 : middle == 0 ? 1 : std::fabs(middle) * 0.1;
    low_ = middle - half, high_ = middle + half;
  }
  const double extra = (high_ - low_) * margin;
  low_ -= extra, high_ += extra;
}

double PlotAxis::position(double value) const { return (scaled(value) - low_) / (high_ - low_); }

std::vector<Tick> PlotAxis::ticks(int about) const {
  std::vector<Tick> out;
  const auto add = [&](double scaled_value, std::string label) {
    const double at = (scaled_value - low_) / (high_ - low_);
    if (at > -1e-9 && at < 1 + 1e-9) out.push_back({std::clamp(at, 0.0, 1.0), std::move(label)});
  };
  if (log_ && high_ - low_ > 0.9) {
    const int decades = static_cast<int>(std::ceil(high_ - low_)),
              every = std::max(1, static_cast<int>(std::lround(decades / static_cast<double>(std::max(1, about)))));
    for (int power = static_cast<int>(std::floor(low_)); power <= static_cast<int>(std::ceil(high_)); ++power) {
      if (power % every) continue;
      for (const int times : {1, 2, 5})
        if (times == 1 || decades <= 2) add(power + std::log10(times), fmt::format("{:g}", times * std::pow(10.0, power)));
    }
    return out;
  }
  const double low = log_ ? std::pow(10.0, low_) : low_, high = log_ ? std::pow(10.0, high_) : high_;
  double step = round_step(high - low, about);
  if (whole_) step = std::max(1.0, step);
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 64; ++i) {
    const double value = (first + i) * step;
    if (!(value <= high + step * 1e-9)) break;
    if (!log_ || value > 0) add(log_ ? std::log10(value) : value, label_of(value, step));
  }
  return out;
}

}  // namespace vesal::image
