#include "dicom/contours.h"

#include <limits>
#include <unordered_map>

namespace vesal::dicom {
namespace {

/// Twice the coordinates, so that points halfway between pixels are whole numbers.
struct Point {
  std::int64_t x, y;
  bool operator==(const Point&) const = default;
};

/// Loops around the label with it on the right hand as y grows downwards; holes run the other way round.
std::vector<std::vector<Point>> loops_of(const std::int64_t* plane, std::int64_t rows, std::int64_t columns, std::int64_t label) {
  std::int64_t x0 = columns, x1 = -1, y0 = rows, y1 = -1;
  for (std::int64_t y = 0; y < rows; ++y)
    for (std::int64_t x = 0; x < columns; ++x)
      if (plane[y * columns + x] == label) x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  const auto inside = [&](std::int64_t x, std::int64_t y) { return x >= 0 && y >= 0 && x < columns && y < rows && plane[y * columns + x] == label; };
  const std::int64_t width = 2 * columns + 4;
  const auto key = [&](const Point& p) { return (p.y + 2) * width + p.x + 2; };
  std::unordered_map<std::int64_t, Point> next;  // each middle of two pixels is left once
  std::vector<Point> starts;
  for (std::int64_t y = y0 - 1; y <= y1; ++y)
    for (std::int64_t x = x0 - 1; x <= x1; ++x) {
      // Corners of the square in the order of a walk around it, and the middles between one and the next.
      const bool in[4] = {inside(x, y), inside(x + 1, y), inside(x + 1, y + 1), inside(x, y + 1)};
      const Point middle[4] = {{2 * x + 1, 2 * y}, {2 * x + 2, 2 * y + 1}, {2 * x + 1, 2 * y + 2}, {2 * x, 2 * y + 1}};
      for (int i = 0; i < 4; ++i) {
        if (!in[i] || in[(i + 1) % 4]) continue;
        int j = i;
        while (in[(j + 3) % 4]) j = (j + 3) % 4;
        next[key(middle[i])] = middle[(j + 3) % 4];
        starts.push_back(middle[i]);
      }
    }
  std::vector<std::vector<Point>> loops;
  for (const Point& start : starts) {
    std::vector<Point> loop;
    for (auto at = next.find(key(start)); at != next.end(); at = next.find(key(loop.back()))) {
      const Point to = at->second;
      next.erase(at);
      // A point on the way from the last but one to the next is none.
      if (loop.size() >= 2) {
        const Point &a = loop[loop.size() - 2], &b = loop.back();
        if ((b.x - a.x) * (to.y - b.y) == (b.y - a.y) * (to.x - b.x)) loop.pop_back();
      }
      loop.push_back(to);
    }
    if (!loop.empty()) loops.push_back(std::move(loop));
  }
  return loops;
}

double area_of(const std::vector<Point>& loop) {
  double sum = 0;
  for (std::size_t i = 0; i < loop.size(); ++i) {
    const Point &a = loop[i], &b = loop[(i + 1) % loop.size()];
    sum += static_cast<double>(a.x * b.y - b.x * a.y);
  }
  return sum / 8;
}

bool contains(const std::vector<Point>& loop, const Point& p) {
  bool in = false;
  for (std::size_t i = 0; i < loop.size(); ++i) {
    const Point &a = loop[i], &b = loop[(i + 1) % loop.size()];
    if ((a.y > p.y) == (b.y > p.y)) continue;
    const double x = static_cast<double>(a.x) + static_cast<double>(p.y - a.y) / static_cast<double>(b.y - a.y) * static_cast<double>(b.x - a.x);
    if (static_cast<double>(p.x) < x) in = !in;
  }
  return in;
}

/// `hole` into `outer` by the shortest line between points of both.
void join(std::vector<Point>& outer, const std::vector<Point>& hole) {
  std::size_t best_outer = 0, best_hole = 0;
  auto least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < outer.size(); ++i)
    for (std::size_t k = 0; k < hole.size(); ++k) {
      const std::int64_t dx = outer[i].x - hole[k].x, dy = outer[i].y - hole[k].y, d = dx * dx + dy * dy;
      if (d < least) least = d, best_outer = i, best_hole = k;
    }
  std::vector<Point> way(hole.begin() + static_cast<std::ptrdiff_t>(best_hole), hole.end());
  way.insert(way.end(), hole.begin(), hole.begin() + static_cast<std::ptrdiff_t>(best_hole) + 1);
  way.push_back(outer[best_outer]);
  outer.insert(outer.begin() + static_cast<std::ptrdiff_t>(best_outer) + 1, way.begin(), way.end());
}

}  // namespace

std::vector<Contour> contours_of(const std::int64_t* plane, std::int64_t rows, std::int64_t columns, std::int64_t label) {
  struct Outline {
    std::vector<Point> loop, joined;
    double area;
  };
  std::vector<Outline> outlines;
  std::vector<std::vector<Point>> holes;
  for (auto& loop : loops_of(plane, rows, columns, label)) {
    const double area = area_of(loop);
    if (area > 0) outlines.push_back({loop, loop, area});
    else holes.push_back(std::move(loop));
  }
  for (const auto& hole : holes) {
    Outline* around = nullptr;
    for (Outline& o : outlines)
      if (contains(o.loop, hole[0]) && (!around || o.area < around->area)) around = &o;
    if (around) join(around->joined, hole);
  }
  std::vector<Contour> out;
  for (const Outline& o : outlines) {
    Contour& contour = out.emplace_back();
    for (const Point& p : o.joined) contour.push_back({static_cast<double>(p.x) / 2, static_cast<double>(p.y) / 2});
  }
  return out;
}

double area_of(const Contour& contour) {
  double sum = 0;
  for (std::size_t i = 0; i < contour.size(); ++i) {
    const auto &a = contour[i], &b = contour[(i + 1) % contour.size()];
    sum += a[0] * b[1] - b[0] * a[1];
  }
  return sum / 2;
}

}  // namespace vesal::dicom
