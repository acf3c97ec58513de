#include "judge/report_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vesal::judge {
namespace {

constexpr double kWidth = 460, kHeight = 300, kLeft = 56, kRight = 14, kTop = 12, kBottom = 46;

/// A scale from values to pixels with round ticks.
struct Axis {
  double low, high, from, to;
  double operator()(double v) const { return high == low ? (from + to) / 2 : from + (v - low) / (high - low) * (to - from); }
  std::vector<double> ticks() const {
    const double span = high - low, rough = span / 5, power = std::pow(10, std::floor(std::log10(rough))), share = rough / power;
    const double step = power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
    std::vector<double> out;
    for (double t = std::ceil(low / step - 1e-9) * step; t <= high + step * 1e-9 && out.size() < 20; t += step)
      out.push_back(std::fabs(t) < step * 1e-9 ? 0 : t);
    return out;
  }
};

std::pair<double, double> padded(double low, double high) {
  if (!(high > low)) return {low - 1, high + 1};
  const double margin = 0.06 * (high - low);
  return {low - margin, high + margin};
}

std::string tick_text(double v) { return fmt::format("{:.6g}", v); }

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format("<line x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}' class='{}'/>", x1, y1, x2, y2, style);
}

std::string frame(const Axis& x, const Axis& y, const std::string& x_title, const std::string& y_title, bool x_ticks) {
  std::string out;
  for (const double t : y.ticks()) {
    out += line(kLeft, y(t), kWidth - kRight, y(t), "grid");
    out += fmt::format("<text x='{:.1f}' y='{:.1f}' class='tick' text-anchor='end'>{}</text>", kLeft - 8, y(t) + 4, tick_text(t));
  }
  if (x_ticks)
    for (const double t : x.ticks()) {
      out += line(x(t), kHeight - kBottom, x(t), kHeight - kBottom + 4, "axis");
      out += fmt::format("<text x='{:.1f}' y='{:.1f}' class='tick' text-anchor='middle'>{}</text>", x(t), kHeight - kBottom + 18, tick_text(t));
    }
  out += line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "axis");
  out += fmt::format("<text x='{:.1f}' y='{:.1f}' class='name' text-anchor='middle'>{}</text>", (kLeft + kWidth - kRight) / 2, kHeight - 8,
                     escaped(x_title));
  out += fmt::format("<text transform='translate(14 {:.1f}) rotate(-90)' class='name' text-anchor='middle'>{}</text>", (kTop + kHeight - kBottom) / 2,
                     escaped(y_title));
  return out;
}

std::string dot(double x, double y, const PlotPoint& p) {
  return fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='4' class='dot s{}'><title>{}</title></circle>", x, y, p.series % 8 + 1, escaped(p.title));
}

std::string svg(const std::string& inside, double height = kHeight) {
  return fmt::format("<svg viewBox='0 0 {:.0f} {:.0f}' role='img'>{}</svg>", kWidth, height, inside);
}

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t' ? ' ' : c;
    }
  return out;
}

std::string scatter_svg(const Plot& plot) {
  std::vector<PlotPoint> points;
  std::copy_if(plot.points.begin(), plot.points.end(), std::back_inserter(points),
               [](const PlotPoint& p) { return std::isfinite(p.x) && std::isfinite(p.y); });
  double x0 = 0, x1 = 0, y0 = 0, y1 = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    x0 = i == 0 ? points[i].x : std::min(x0, points[i].x), x1 = i == 0 ? points[i].x : std::max(x1, points[i].x);
    y0 = i == 0 ? points[i].y : std::min(y0, points[i].y), y1 = i == 0 ? points[i].y : std::max(y1, points[i].y);
  }
  for (const auto* lines : {&plot.solid, &plot.dashed})
    for (const double v : *lines)
      if (std::isfinite(v)) y0 = std::min(y0, v), y1 = std::max(y1, v);
  if (plot.diagonal) {
    x0 = y0 = std::min({0.0, x0, y0});
    x1 = y1 = std::max(x1, y1);
  }
  std::tie(x0, x1) = padded(x0, x1);
  std::tie(y0, y1) = padded(y0, y1);
  if (plot.diagonal) x0 = y0 = std::max(x0, 0.0);
  if (plot.y_range) std::tie(y0, y1) = *plot.y_range;
  const Axis x{x0, x1, kLeft, kWidth - kRight}, y{y0, y1, kHeight - kBottom, kTop};
  std::string out = frame(x, y, plot.x_title, plot.y_title, true);
  if (plot.diagonal) out += line(x(x0), y(y0), x(x1), y(y1), "solid");
  for (const double v : plot.solid)
    if (std::isfinite(v)) out += line(kLeft, y(v), kWidth - kRight, y(v), "solid");
  for (const double v : plot.dashed)
    if (std::isfinite(v)) out += line(kLeft, y(v), kWidth - kRight, y(v), "dashed");
  for (const PlotPoint& p : points) out += dot(x(p.x), y(p.y), p);
  return svg(out);
}

std::string strip_svg(const std::vector<Strip>& strips, const std::string& y_title, std::optional<double> gate) {
  double low = gate.value_or(0.9);
  for (const Strip& s : strips)
    for (const PlotPoint& p : s.points)
      if (std::isfinite(p.y)) low = std::min(low, p.y);
  low = std::clamp(std::floor((low - 0.02) * 10) / 10, 0.0, 0.9);
  const bool many = strips.size() > 6;
  const Axis y{low, 1, kHeight - kBottom, kTop};
  const Axis x{0, static_cast<double>(strips.size()), kLeft, kWidth - kRight};
  std::string out = frame(x, y, "", y_title, false);
  if (gate && *gate > low) {
    out += line(kLeft, y(*gate), kWidth - kRight, y(*gate), "gate");
    out += fmt::format("<text x='{:.1f}' y='{:.1f}' class='tick' text-anchor='end'>{:.2f}</text>", kWidth - kRight, y(*gate) - 5, *gate);
  }
  for (std::size_t i = 0; i < strips.size(); ++i) {
    const double middle = x(static_cast<double>(i) + 0.5), width = std::min(60.0, (x(1) - x(0)) * 0.5);
    std::vector<double> sorted;
    for (const PlotPoint& p : strips[i].points)
      if (std::isfinite(p.y)) sorted.push_back(p.y);
    std::sort(sorted.begin(), sorted.end());
    if (sorted.size() >= 4) {
      const double top = y(quantile(sorted, 0.75)), bottom = y(quantile(sorted, 0.25)), median = y(quantile(sorted, 0.5));
      out += fmt::format("<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' class='box'/>", middle - width / 2, top, width,
                         std::max(bottom - top, 1.0));
      out += line(middle - width / 2, median, middle + width / 2, median, "solid");
    }
    std::size_t n = 0;
    for (const PlotPoint& p : strips[i].points) {
      // Dots side by side without chance: the golden ratio spreads any number of them.
      const double aside = std::fmod(static_cast<double>(++n) * 0.6180339887, 1.0) - 0.5;
      if (std::isfinite(p.y)) out += dot(middle + aside * width * 0.8, y(std::max(p.y, low)), p);
    }
    const std::string name = escaped(strips[i].name);
    if (many)
      out += fmt::format("<text transform='translate({:.1f} {:.1f}) rotate(-30)' class='tick' text-anchor='end'>{}</text>", middle + 4,
                         kHeight - kBottom + 14, name);
    else out += fmt::format("<text x='{:.1f}' y='{:.1f}' class='tick' text-anchor='middle'>{}</text>", middle, kHeight - kBottom + 18, name);
  }
  return svg(out);
}

std::string gauge_svg(double mean, double low, double high, std::optional<double> gate) {
  const double least = std::min({std::isfinite(low) ? low : mean, mean, gate.value_or(1)});
  const double begin = std::clamp(std::floor((least - 0.03) * 10) / 10, 0.0, 0.9);
  const Axis x{begin, 1, 16, kWidth - 16};
  std::string out = fmt::format("<rect x='{:.1f}' y='34' width='{:.1f}' height='8' rx='4' class='track'/>", x(begin), x(1) - x(begin));
  if (std::isfinite(low) && std::isfinite(high))
    out += fmt::format("<rect x='{:.1f}' y='32' width='{:.1f}' height='12' rx='6' class='range'/>", x(std::clamp(low, begin, 1.0)),
                       std::max(4.0, x(std::clamp(high, begin, 1.0)) - x(std::clamp(low, begin, 1.0))));
  out += fmt::format("<circle cx='{:.1f}' cy='38' r='8' class='mean'/>", x(std::clamp(mean, begin, 1.0)));
  if (gate) {
    out += line(x(*gate), 22, x(*gate), 54, "gate");
    out += fmt::format("<text x='{:.1f}' y='14' class='tick' text-anchor='middle'>{:.2f}</text>", x(*gate), *gate);
  }
  for (const double t : {begin, 1.0})
    out += fmt::format("<text x='{:.1f}' y='66' class='tick' text-anchor='{}'>{:.1f}</text>", x(t), t == 1 ? "end" : "start", t);
  return svg(out, 72);
}

}  // namespace vesal::judge
