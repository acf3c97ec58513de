#include "image/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "base/error.h"
#include "image/picture.h"
#include "image/plot_axis.h"
#include "image/png.h"

namespace vesal::image {
namespace {

constexpr Colour kPaper{255, 255, 255}, kInk{33, 37, 41}, kFaint{108, 117, 125}, kGrid{228, 231, 235};
/// Told apart by colour-blind eyes too (Okabe and Ito, "Color Universal Design", 2008).
constexpr Colour kColours[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                               {230, 159, 0}, {86, 180, 233}, {90, 90, 90},  {150, 75, 40}};
constexpr int kLine = 22, kLeft = 92, kRight = 24, kGap = 14;

/// One line to draw: what, in which colour, along which axis.
struct Curve {
  const Series* series;
  Colour colour;
  bool right;
};

struct Box {
  int x, y, width, height;
};

std::string clipped(const std::string& words, int pixels) {
  const auto most = static_cast<std::size_t>(std::max(0, pixels / Picture::text_width("x")));
  if (words.size() <= most) return words;
  return most < 4 ? words.substr(0, most) : words.substr(0, most - 3) + "...";
}

/// A stroke of two pixels from a to b, its edges blended; dashes count along the curve from `travelled` on.
void stroke(Picture& picture, const Box& box, double ax, double ay, double bx, double by, Colour colour, bool dashed, double& travelled) {
  const double length = std::hypot(bx - ax, by - ay), half = 1.1;
  const int x0 = std::max(box.x, static_cast<int>(std::floor(std::min(ax, bx) - 2))),
            x1 = std::min(box.x + box.width, static_cast<int>(std::ceil(std::max(ax, bx) + 2)));
  for (int x = x0; x <= x1; ++x) {
    // Only the rows near the stroke in this column: long steep strokes stay cheap.
    double low = std::min(ay, by), high = std::max(ay, by);
    if (std::fabs(bx - ax) > 1e-9) {
      const double t0 = std::clamp((x - 2 - ax) / (bx - ax), 0.0, 1.0), t1 = std::clamp((x + 2 - ax) / (bx - ax), 0.0, 1.0);
      low = std::min(ay + t0 * (by - ay), ay + t1 * (by - ay)), high = std::max(ay + t0 * (by - ay), ay + t1 * (by - ay));
    }
    const int y0 = std::max(box.y, static_cast<int>(std::floor(low - 2))), y1 = std::min(box.y + box.height, static_cast<int>(std::ceil(high + 2)));
    for (int y = y0; y <= y1; ++y) {
      const double t = length > 0 ? std::clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / (length * length), 0.0, 1.0) : 0;
      if (dashed && std::fmod(travelled + t * length, 11) > 6.5) continue;
      const double distance = std::hypot(x - (ax + t * (bx - ax)), y - (ay + t * (by - ay)));
      picture.blend(x, y, colour, std::clamp(half + 0.5 - distance, 0.0, 1.0));
    }
  }
  travelled += length;
}

void dot(Picture& picture, double cx, double cy, double radius, Colour colour) {
  for (int y = static_cast<int>(cy - radius - 1); y <= static_cast<int>(cy + radius + 1); ++y)
    for (int x = static_cast<int>(cx - radius - 1); x <= static_cast<int>(cx + radius + 1); ++x)
      picture.blend(x, y, colour, std::clamp(radius + 0.5 - std::hypot(x - cx, y - cy), 0.0, 1.0));
}

/// The points to draw: all, or of many per pixel the lowest and the highest.
std::vector<std::size_t> thinned(const Series& s, std::size_t buckets) {
  std::vector<std::size_t> out;
  const std::size_t n = s.y.size(), per = std::max<std::size_t>(1, n / std::max<std::size_t>(1, buckets));
  for (std::size_t begin = 0; begin < n; begin += per) {
    const std::size_t end = std::min(n, begin + per);
    if (per < 3) {
      for (std::size_t i = begin; i < end; ++i) out.push_back(i);
      continue;
    }
    std::optional<std::size_t> low, high;
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(s.y[i])) continue;
      if (!low || s.y[i] < s.y[*low]) low = i;
      if (!high || s.y[i] > s.y[*high]) high = i;
    }
    if (!low) out.push_back(begin);  // the gap
    else if (*low == *high) out.push_back(*low);
    else out.push_back(std::min(*low, *high)), out.push_back(std::max(*low, *high));
  }
  return out;
}

void draw_curve(Picture& picture, const Box& box, const Curve& curve, const PlotAxis& across, const PlotAxis& up) {
  const Series& s = *curve.series;
  const std::vector<std::size_t> points = thinned(s, static_cast<std::size_t>(box.width) * 2);
  const auto shown = [&](std::size_t k) { return k < points.size() && across.shows(s.x[points[k]]) && up.shows(s.y[points[k]]); };
  const auto px = [&](std::size_t k) { return box.x + across.position(s.x[points[k]]) * box.width; };
  const auto py = [&](std::size_t k) { return box.y + (1 - up.position(s.y[points[k]])) * box.height; };
  const bool few = points.size() <= static_cast<std::size_t>(box.width) / 12;
  double travelled = 0;
  for (std::size_t k = 0; k < points.size(); ++k) {
    if (!shown(k)) continue;
    const bool before = k > 0 && shown(k - 1);
    if (before) stroke(picture, box, px(k - 1), py(k - 1), px(k), py(k), curve.colour, curve.right, travelled);
    if ((few && !curve.right) || (!before && !shown(k + 1))) dot(picture, px(k), py(k), few ? 3 : 2, curve.colour);
  }
}

void check(const Series& s) {
  if (s.x.size() != s.y.size()) throw Error(ErrorKind::shape, fmt::format("the series '{}' has {} x and {} y", s.name, s.x.size(), s.y.size()));
}

/// Where the names of the curves stand: rows that fit the width.
struct Legend {
  struct Entry {
    std::string text;
    std::optional<Curve> curve;
    int x, row;
  };
  std::vector<Entry> entries = {};
  int rows = 0;
  Legend(const std::vector<Curve>& curves, std::size_t more, int width) {
    int x = 0, row = 0;
    const auto add = [&](std::string text, std::optional<Curve> curve) {
      text = clipped(text, std::min(width - 40, 420));
      const int wide = (curve ? 34 : 0) + Picture::text_width(text) + 20;
      if (x > 0 && x + wide > width) x = 0, ++row;
      entries.push_back({std::move(text), curve, x, row});
      x += wide;
    };
    for (const Curve& c : curves) add(c.series->name, c);
    if (more) add(fmt::format("and {} more", more), std::nullopt);
    rows = entries.empty() ? 0 : row + 1;
  }
};

/// A panel with its axes fitted to what it shows.
struct Panel {
  const Plot* plot;
  std::vector<Curve> curves = {};
  PlotAxis across, left, right;
  Legend legend;
  static std::vector<Curve> chosen(const Plot& plot) {
    std::vector<Curve> out;
    for (const bool right : {false, true})
      for (const Series& s : right ? plot.right : plot.series) {
        check(s);
        if (out.size() < PlotOptions::kMostSeries) out.push_back({&s, kColours[out.size() % std::size(kColours)], right});
      }
    return out;
  }
  Panel(const Plot& p, int width)
      : plot(&p),
        curves(chosen(p)),
        across(false, whole(p)),
        left(p.log_y),
        right(p.log_right),
        legend(curves, p.series.size() + p.right.size() - curves.size(), width) {
    for (const Curve& c : curves)
      for (std::size_t i = 0; i < c.series->x.size(); ++i) {
        PlotAxis& up = c.right ? right : left;
        if (!across.shows(c.series->x[i]) || !up.shows(c.series->y[i])) continue;
        across.cover(c.series->x[i]), up.cover(c.series->y[i]);
        (c.right ? right_used : left_used) = true;
      }
    left.finish(0.05), right.finish(0.05);
  }
  bool left_used = false, right_used = false;
  int right_margin = kRight;

 private:
  static bool whole(const Plot& p) {
    for (const std::vector<Series>* list : {&p.series, &p.right})
      for (const Series& s : *list)
        for (const double x : s.x)
          if (x != std::floor(x)) return false;
    return true;
  }
};

void draw(Picture& picture, const Panel& panel, int top, int height) {
  const Plot& p = *panel.plot;
  const int right_margin = panel.right_margin, width = picture.width();
  picture.text(kLeft, top, clipped(p.title, width - kLeft - kRight), kInk);
  int y = top + kLine + 4;
  for (const auto& e : panel.legend.entries) {
    const int x = kLeft + e.x, row = y + e.row * kLine;
    if (e.curve) {
      double travelled = 0;
      stroke(picture, {0, 0, width, picture.height()}, x, row + 7, x + 26, row + 7, e.curve->colour, e.curve->right, travelled);
    }
    picture.text(x + (e.curve ? 34 : 0), row, e.text, kInk);
  }
  y += panel.legend.rows * kLine;
  picture.text(kLeft, y, clipped(p.y_label, width / 2 - kLeft), kFaint);
  if (panel.right_used) {
    const std::string label = clipped(p.right_label, width / 2 - right_margin);
    picture.text(width - right_margin - Picture::text_width(label), y, label, kFaint);
  }
  y += kLine + 2;
  const Box box{kLeft, y, std::max(40, width - kLeft - right_margin), std::max(40, top + height - y - 2 * kLine - kGap)};
  const int bottom = box.y + box.height;
  if (!panel.left_used && !panel.right_used) {
    const std::string words = "nothing to show";
    picture.text(box.x + (box.width - Picture::text_width(words)) / 2, box.y + box.height / 2 - 7, words, kFaint);
  }
  const int rows = std::max(2, box.height / 40), columns = std::max(2, box.width / 90);
  if (panel.left_used)
    for (const Tick& t : panel.left.ticks(rows)) {
      const int at = static_cast<int>(std::lround(bottom - t.at * box.height));
      picture.fill(box.x, at, box.width, 1, kGrid);
      picture.text(box.x - 8 - Picture::text_width(t.label), at - 7, t.label, kInk);
    }
  if (panel.right_used)
    for (const Tick& t : panel.right.ticks(rows)) {
      const int at = static_cast<int>(std::lround(bottom - t.at * box.height));
      picture.fill(box.x + box.width, at, 5, 1, kFaint);
      picture.text(box.x + box.width + 8, at - 7, t.label, kInk);
    }
  if (panel.left_used || panel.right_used)
    for (const Tick& t : panel.across.ticks(columns)) {
      const int at = static_cast<int>(std::lround(box.x + t.at * box.width));
      picture.fill(at, bottom, 1, 5, kFaint);
      picture.text(at - Picture::text_width(t.label) / 2, bottom + 9, t.label, kInk);
    }
  picture.fill(box.x, bottom, box.width + 1, 1, kFaint);
  picture.fill(box.x, box.y, 1, box.height, kFaint);
  if (panel.right_used) picture.fill(box.x + box.width, box.y, 1, box.height, kFaint);
  const std::string x_label = clipped(p.x_label, box.width);
  picture.text(box.x + (box.width - Picture::text_width(x_label)) / 2, bottom + 9 + kLine, x_label, kFaint);
  // The first curve last, on top of the others.
  for (auto c = panel.curves.rbegin(); c != panel.curves.rend(); ++c) draw_curve(picture, box, *c, panel.across, c->right ? panel.right : panel.left);
}

}  // namespace

Array draw_plots(const std::vector<Plot>& plots, const PlotOptions& options) {
  const int width = std::clamp(options.width, 320, 4000), panel_height = std::clamp(options.height_of_panel, 200, 2000);
  const std::span<const Plot> shown(plots.data(), std::min(plots.size(), PlotOptions::kMostPanels));
  std::vector<Panel> panels;
  for (const Plot& p : shown) panels.emplace_back(p, width - kLeft - kRight);
  bool any_right = false;
  for (Panel& p : panels) {
    any_right |= p.right_used;
    if (!options.shared_x) continue;
    for (const Panel& other : panels)
      for (const Curve& c : other.curves)
        for (const double x : c.series->x) p.across.cover(x);
  }
  for (Panel& p : panels) {
    p.across.finish(0.01);
    if (p.right_used || (any_right && options.shared_x)) p.right_margin = kLeft;
  }
  const int head = options.title.empty() ? kGap : kGap + 36;
  int height = head + kGap;
  for (const Panel& p : panels) height += panel_height + p.legend.rows * kLine + kGap;
  Picture picture(width, height, kPaper);
  picture.text(kGap, kGap, clipped(options.title, width - 2 * kGap), kInk);
  int top = head;
  for (const Panel& p : panels) {
    const int own = panel_height + p.legend.rows * kLine;
    draw(picture, p, top, own);
    top += own + kGap;
  }
  return picture.array();
}

void write_plots(const std::filesystem::path& path, const std::vector<Plot>& plots, const PlotOptions& options) {
  write_png(path, draw_plots(plots, options));
}

}  // namespace vesal::image
