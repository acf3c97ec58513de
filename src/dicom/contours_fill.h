// The even-odd rule; a part of contours.h.
#pragma once
#include <algorithm>
#include <cmath>

namespace vesal::dicom {

template <class Visit>
void fill(const Contour& contour, const Visit& visit) {
  double low = 1e300, high = -1e300;
  for (const auto& p : contour) low = std::min(low, p[1]), high = std::max(high, p[1]);
  std::vector<std::vector<double>> crossings;
  const auto first = static_cast<std::int64_t>(std::ceil(low));
  if (!(high - low < 1e6)) return;
  crossings.resize(static_cast<std::size_t>(std::max(0.0, std::floor(high) - std::ceil(low) + 1)));
  for (std::size_t i = 0; i < contour.size(); ++i) {
    auto a = contour[i], b = contour[(i + 1) % contour.size()];
    if (a[1] > b[1]) std::swap(a, b);
    // A row through a point counts for the edge above it only.
    for (auto y = static_cast<std::int64_t>(std::ceil(a[1])); static_cast<double>(y) < b[1]; ++y)
      crossings[static_cast<std::size_t>(y - first)].push_back(a[0] + (static_cast<double>(y) - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
  }
  for (std::size_t row = 0; row < crossings.size(); ++row) {
    auto& xs = crossings[row];
    std::sort(xs.begin(), xs.end());
    for (std::size_t i = 0; i + 1 < xs.size(); i += 2)
      for (auto x = static_cast<std::int64_t>(std::ceil(xs[i])); static_cast<double>(x) < xs[i + 1]; ++x)
        visit(x, first + static_cast<std::int64_t>(row));
  }
}

}  // namespace vesal::dicom
