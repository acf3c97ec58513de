// Line plots as pictures: how a training went, at a glance.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::image {

/// Points in order of x. What is not finite (or, on a logarithmic axis, not positive) makes a gap.
struct Series {
  std::string name;
  std::vector<double> x, y;  ///< of one length
};

/// One panel. Words in ASCII.
struct Plot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_y = false;
  std::vector<Series> right = {};  ///< measured along a second axis on the right, drawn dashed
  std::string right_label = "";
  bool log_right = false;
};

struct PlotOptions {
  std::string title = "";                                           ///< above all panels
  int width = 1000, height_of_panel = 360;                          ///< pixels; taken into [320, 4000] and [200, 2000]
  bool shared_x = false;                                            ///< all panels show the same stretch of x, one below the other
  static constexpr std::size_t kMostSeries = 24, kMostPanels = 16;  ///< what is drawn; a line says how many more there are
};

/// The panels below each other, axes and lines in each, a legend where there is more than one line: [height, width, 3] uint8.
/// Throws Error(shape) if a series has not as many x as y.
Array draw_plots(const std::vector<Plot>& plots, const PlotOptions& options = {});

/// draw_plots to a PNG file.
void write_plots(const std::filesystem::path& path, const std::vector<Plot>& plots, const PlotOptions& options = {});

}  // namespace vesal::image
