// The plot of Dice over months.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "judge/report_plots.h"
#include "tune/increment_report.h"

namespace vesal::tune {
namespace {

using judge::escaped;

constexpr double kWidth = 900, kHeight = 320, kLeft = 56, kRight = 20, kTop = 16, kBottom = 44;
constexpr double kLeastRange = 0.05;

struct Point {
  std::string month, version, outcome;  ///< outcome "" of what was no increment
  double dice = std::nan(""), low = std::nan(""), high = std::nan("");
  bool champion = false;
};

double number_at(const Value* dict, const char* key) {
  const Value* found = dict && dict->is_dict() ? dict->as_dict().find(key) : nullptr;
  return found && found->is_number() ? found->as_float() : std::nan("");
}

Point of_version(const ModelState& state, const std::string& version) {
  Point p;
  p.version = version;
  if (const VersionInfo* v = state.find(version)) {
    const Value* scores = v->entry.value.as_dict().find("reference_dice");
    p.dice = number_at(scores, "dice");
    p.low = number_at(scores, "low");
    p.high = number_at(scores, "high");
  }
  return p;
}

/// What is drawn: the start, increments, and champions made by hand.
std::vector<Point> points_of(const ModelState& state, std::int64_t last) {
  std::vector<Point> points;
  std::vector<std::string> reign;
  for (const JournalEntry& e : state.journal) {
    if (e.number > last) break;
    const std::string event = e.event();
    const Value* champion = e.value.as_dict().find("champion");
    const bool takes_over = event == "rollback" || (champion && champion->is_bool() && champion->as_bool());
    if (event != "increment" && !takes_over) continue;
    Point p = of_version(state, e.text("version"));
    p.month = event == "increment" ? e.text("month") : event == "init" ? "start" : event;
    p.outcome = event == "increment" ? e.text("outcome") : "";
    p.champion = takes_over;
    points.push_back(std::move(p));
  }
  return points;
}

}  // namespace

std::string history_svg(const ModelState& state, std::int64_t last) {
  const std::vector<Point> points = points_of(state, last);
  double low = 1, high = 0;
  for (const Point& p : points)
    for (const double v : {p.dice, p.low, p.high})
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  if (high < low) low = 0, high = 1;
  const double spare = std::max(0.0, (kLeastRange - (high - low)) / 2) + 0.05 * (high - low);
  low = std::max(0.0, low - spare), high = std::min(1.0, high + spare);

  const double bottom = kHeight - kBottom, step = (kWidth - kLeft - kRight) / static_cast<double>(std::max<std::size_t>(1, points.size()));
  const auto x = [&](std::size_t i) { return kLeft + (static_cast<double>(i) + 0.5) * step; };
  const auto y = [&](double dice) { return bottom - (dice - low) / (high - low) * (bottom - kTop); };
  std::string out =
      fmt::format("<svg viewBox='0 0 {:.0f} {:.0f}' role='img' aria-label='Dice on the reference set over the months'>", kWidth, kHeight);
  for (int tick = 0; tick <= 4; ++tick) {
    const double dice = low + (high - low) * tick / 4;
    out +=
        fmt::format("<line x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}' class='grid'/><text x='{:.1f}' y='{:.1f}' text-anchor='end'>{:.3f}</text>",
                    kLeft, y(dice), kWidth - kRight, y(dice), kLeft - 8, y(dice) + 4, dice);
  }
  std::string line, marks;
  double before = std::nan("");
  const std::size_t every = points.size() / 14 + 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& p = points[i];
    if (i % every == 0)
      out += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>", x(i), kHeight - kBottom + 20, escaped(p.month));
    const std::string title =
        escaped(fmt::format("{} {} {}", p.month, p.version, p.outcome)) + (std::isfinite(p.dice) ? fmt::format(" {:.4f}", p.dice) : "");
    if (!std::isfinite(p.dice)) {  // refused before there was anything to judge
      marks += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle' style='fill:var(--bad);font-size:16px'>&#215;<title>{}</title></text>",
                           x(i), bottom - 4, title);
      continue;
    }
    if (p.champion) {
      if (std::isfinite(before)) line += fmt::format(" H{:.1f} V{:.1f}", x(i), y(p.dice));
      else line += fmt::format("M{:.1f} {:.1f}", x(i), y(p.dice));
      before = p.dice;
      if (std::isfinite(p.low))
        marks += fmt::format("<line x1='{0:.1f}' x2='{0:.1f}' y1='{1:.1f}' y2='{2:.1f}' style='stroke:var(--c1);stroke-width:2;opacity:.5'/>", x(i),
                             y(p.low), y(p.high));
      marks += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='6' class='dot s1' style='fill-opacity:1'><title>{}</title></circle>", x(i), y(p.dice),
                           title);
    } else {
      marks +=
          fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='6' style='fill:var(--card);stroke:var(--bad);stroke-width:2'><title>{}</title></circle>",
                      x(i), y(p.dice), title);
    }
  }
  if (!line.empty()) line += fmt::format(" H{:.1f}", kWidth - kRight);
  out += fmt::format("<path d='{}' style='fill:none;stroke:var(--c1);stroke-width:2'/>{}", line, marks);
  return out + "</svg>";
}

}  // namespace vesal::tune
