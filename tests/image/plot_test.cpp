#include "image/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "image/plot_axis.h"

namespace vesal::image {
namespace {

using testing::ElementsAre;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The columns in which a picture has pixels of (about) the first curve's blue.
std::vector<std::int64_t> blue_columns(const Array& p) {
  std::vector<std::int64_t> out;
  for (std::int64_t x = 0; x < p.size(1); ++x)
    for (std::int64_t y = 0; y < p.size(0); ++y)
      if (p.at({y, x, 0}) < 20 && p.at({y, x, 2}) > 150) {
        out.push_back(x);
        break;
      }
  return out;
}

std::vector<std::string> labels(PlotAxis axis, std::initializer_list<double> values, int about) {
  for (const double v : values) axis.cover(v);
  axis.finish(0.01);
  std::vector<std::string> out;
  for (const Tick& t : axis.ticks(about)) out.push_back(t.label);
  return out;
}

TEST(PlotAxis, TicksAreRoundAndTellNeighboursApart) {
  EXPECT_THAT(labels(PlotAxis(), {0, 1}, 5), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(PlotAxis(), {0.9312, 0.9318}, 3), ElementsAre("0.9312", "0.9314", "0.9316", "0.9318"));
  EXPECT_THAT(labels(PlotAxis(), {-150, 250}, 4), ElementsAre("-100", "0", "100", "200"));
  EXPECT_THAT(labels(PlotAxis(false, true), {1, 3}, 8), ElementsAre("1", "2", "3")) << "no half epochs";
  EXPECT_THAT(labels(PlotAxis(false, true), {7}, 8), ElementsAre("6", "7", "8"));
  EXPECT_THAT(labels(PlotAxis(true), {1e-5, 1e-1}, 5), ElementsAre("1e-05", "0.0001", "0.001", "0.01", "0.1"));
  EXPECT_THAT(labels(PlotAxis(true), {0.1, 5}, 5), ElementsAre("0.1", "0.2", "0.5", "1", "2", "5"));
  EXPECT_THAT(labels(PlotAxis(true), {2, 3}, 2), ElementsAre("2.0", "2.5", "3.0")) << "less than a decade: as if linear";
}

TEST(PlotAxis, HoldsAbsurdRanges) {
  PlotAxis axis;
  for (const double v : {-std::numeric_limits<double>::max(), std::numeric_limits<double>::max(), double{INFINITY}, kNan}) axis.cover(v);
  axis.finish(0.05);
  EXPECT_NEAR(axis.position(0), 0.5, 1e-9);
  EXPECT_LT(axis.ticks(5).size(), 12u);
  PlotAxis still;
  still.cover(1e-320);
  still.finish(0.05);
  EXPECT_TRUE(std::isfinite(still.position(1e-320)));
  EXPECT_LT(PlotAxis().ticks(5).size(), 12u);
}

TEST(Plot, MissingValuesMakeGapsAndOnePointIsSeen) {
  const PlotOptions small{.width = 400, .height_of_panel = 240};
  Plot plot{.title = "loss", .x_label = "epoch", .y_label = "loss", .series = {{"", {0, 1, 2, 3, 4, 5}, {1, 2, kNan, INFINITY, 2, 1}}}};
  const auto gap_of = [&] {
    const auto columns = blue_columns(draw_plots({plot}, small));
    std::int64_t widest = 0;
    for (std::size_t i = 1; i < columns.size(); ++i)
      if (columns[i - 1] > 130) widest = std::max(widest, columns[i] - columns[i - 1]);  // right of the legend
    return widest;
  };
  EXPECT_GT(gap_of(), 100);
  plot.series[0].y[2] = plot.series[0].y[3] = 1.5;
  EXPECT_EQ(gap_of(), 1);
  plot.series[0] = {"", {4}, {0.5}};
  EXPECT_GE(blue_columns(draw_plots({plot}, small)).size(), 26u + 5u) << "the legend's stroke and a dot";
}

TEST(Plot, BoundsWhatItIsGiven) {
  const Array nothing = draw_plots({{.title = "t", .x_label = "x", .y_label = "y", .series = {}}}, {.width = -5, .height_of_panel = 1 << 30});
  EXPECT_EQ(nothing.size(1), 320);
  EXPECT_LT(nothing.size(0), 2100);
  Series wild{std::string(100000, 'w') + "\xff", {}, {}};
  for (int i = 0; i < 100000; ++i) wild.x.push_back(i), wild.y.push_back(i % 7 ? std::pow(-10.0, i % 298) : kNan);
  Plot hostile{.title = wild.name, .x_label = wild.name, .y_label = wild.name, .series = {wild}, .log_y = true};
  EXPECT_EQ(draw_plots({hostile}, {.width = 1 << 30, .height_of_panel = 0}).size(1), 4000);
  hostile.series.clear();
  const PlotOptions small{.width = 320, .height_of_panel = 200};
  EXPECT_EQ(draw_plots(std::vector<Plot>(90, hostile), small).size(0), draw_plots(std::vector<Plot>(16, hostile), small).size(0));
  std::vector<Series> many(500, Series{"s", {1, 2}, {3, 4}});
  EXPECT_LT(draw_plots({{.title = "", .x_label = "", .y_label = "", .series = many, .right = many}}).size(0), 1000);
  EXPECT_THROW(draw_plots({{.title = "", .x_label = "", .y_label = "", .series = {{"s", {1, 2}, {3}}}}}), Error);
}

}  // namespace
}  // namespace vesal::image
