// Plots as inline SVG; colours come from the page's variables (--ink, --faint, --line, --c1 .. --c8), so that they follow light and dark.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace vesal::judge {

struct PlotPoint {
  double x = 0, y = 0;
  std::size_t series = 0;  ///< colour
  std::string title;       ///< shown on hovering
};

struct Plot {
  std::string x_title, y_title;
  std::vector<PlotPoint> points;  ///< those that are not finite are left out
  bool diagonal = false;          ///< y = x, and one scale for both
  std::vector<double> solid, dashed;
  std::optional<std::pair<double, double>> y_range;
};
std::string scatter_svg(const Plot& plot);

struct Strip {
  std::string name;
  std::vector<PlotPoint> points;  ///< y counts
};
/// A column of dots with a box per strip, y from at most `low` to 1; the gate as a dashed line.
std::string strip_svg(const std::vector<Strip>& strips, const std::string& y_title, std::optional<double> gate);

/// The interval of a mean on [low, 1] with the gate.
std::string gauge_svg(double mean, double low, double high, std::optional<double> gate);

std::string escaped(const std::string& text);  ///< for HTML text and attributes

}  // namespace vesal::judge
