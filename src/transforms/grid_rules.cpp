#include "transforms/grid_rules.h"

#include <algorithm>
#include <cmath>

namespace vesal::transforms {
namespace {

using image::Affine;

/// Upper triangular z with z^T z = m^T m.
Affine gram_root(const Affine& m, int rank) {
  Affine z;
  for (int i = 0; i < rank; ++i)
    for (int j = i; j < rank; ++j) {
      double sum = 0;
      for (int k = 0; k < rank; ++k) sum += m(k, i) * m(k, j);
      for (int k = 0; k < i; ++k) sum -= z(k, i) * z(k, j);
      if (i == j && !(sum > 0)) throw Error(ErrorKind::geometry, "the affine is singular: voxels have no volume");
      z(i, j) = i == j ? std::sqrt(sum) : sum / z(i, i);
    }
  return z;
}

}  // namespace

Affine solve(const Affine& a, const Affine& b) {
  // LU with partial pivoting; pivots enter as reciprocals, as OpenBLAS has them.
  Affine lu = a, x = b;
  for (int k = 0; k < 4; ++k) {
    int pivot = k;
    for (int r = k + 1; r < 4; ++r)
      if (std::fabs(lu(r, k)) > std::fabs(lu(pivot, k))) pivot = r;
    if (!(std::fabs(lu(pivot, k)) > 0) || !std::isfinite(lu(pivot, k))) throw Error(ErrorKind::geometry, "the affine is not invertible");
    std::swap(lu.m[k], lu.m[pivot]);
    std::swap(x.m[k], x.m[pivot]);
    const double reciprocal = 1 / lu(k, k);
    for (int r = k + 1; r < 4; ++r) {
      const double factor = lu(r, k) * reciprocal;
      if (factor == 0) continue;
      for (int c = k; c < 4; ++c) lu(r, c) -= factor * lu(k, c);
      for (int c = 0; c < 4; ++c) x(r, c) -= factor * x(k, c);
    }
  }
  for (int k = 3; k >= 0; --k) {
    const double reciprocal = 1 / lu(k, k);
    for (int c = 0; c < 4; ++c) {
      x(k, c) *= reciprocal;
      for (int r = 0; r < k; ++r) x(r, c) -= lu(r, k) * x(k, c);
    }
  }
  return x;
}

std::vector<double> voxel_sizes(const Affine& a, int rank) {
  std::vector<double> sizes;
  for (int c = 0; c < rank; ++c) {
    double sum = 0;
    for (int r = 0; r < rank; ++r) sum += a(r, c) * a(r, c);
    sizes.push_back(sum == 0 ? 1 : std::sqrt(sum));
  }
  return sizes;
}

Affine zoom_affine(const Affine& a, std::vector<double> sizes, bool diagonal, int rank) {
  const std::vector<double> own = voxel_sizes(a, rank);
  Affine out;
  for (int i = 0; i < rank; ++i) {
    if (!(sizes[i] > 0)) sizes[i] = own[i];
    if (diagonal) out(i, i) = sizes[i];
  }
  if (diagonal) return out;
  const Affine root = gram_root(a, rank), unzoom = solve(root, {});
  for (int r = 0; r < rank; ++r)
    for (int c = 0; c < rank; ++c) {
      double rotation = 0;
      for (int k = 0; k < rank; ++k) rotation += a(r, k) * unzoom(k, c);
      out(r, c) = rotation * sizes[c];
    }
  return out;
}

ShapeOffset shape_and_offset(const Shape& shape, const Affine& in, const Affine& out, bool scale_extent) {
  const int rank = static_cast<int>(shape.size());
  const Affine map = solve(out, in);
  const double outset = scale_extent ? 0.5 : 0;
  // Both grids' coordinates of the corners, the last axis fastest.
  std::vector<std::array<double, 3>> corners, corners_out;
  for (int k = 0; k < 1 << rank; ++k) {
    std::array<double, 3> p{};
    for (int r = 0; r < rank; ++r) p[r] = k >> (rank - 1 - r) & 1 ? static_cast<double>(shape[r] - 1) + outset : -outset;
    corners.push_back(p);
    corners_out.push_back(image::apply(map, p));
  }
  ShapeOffset result{{}, {}};
  std::array<double, 3> extent{};
  for (int r = 0; r < rank; ++r) {
    double low = corners_out[0][r], high = low;
    for (const auto& p : corners_out) low = std::min(low, p[r]), high = std::max(high, p[r]);
    extent[r] = std::nearbyint(scale_extent ? high - low : high - low + 1.0);
    if (!(extent[r] >= 1 && extent[r] < 2147483648.0))
      throw Error(ErrorKind::geometry, "the new grid would have " + std::to_string(extent[r]) + " voxels along axis " + std::to_string(r));
    result.shape.push_back(static_cast<std::int64_t>(extent[r]));
  }
  bool found = false;
  for (std::size_t i = 0; i < corners.size() && !found; ++i) {
    found = true;
    for (int r = 0; r < rank; ++r) {
      double least = 0;
      for (const auto& p : corners_out) least = std::min(least, p[r] - corners_out[i][r]);
      if (std::fabs(least) > 1e-8) found = false;
    }
    if (found) result.offset = image::apply(in, corners[i]);
  }
  if (!found) {  // no corner comes first along every axis: centre on centre
    for (int r = 0; r < 3; ++r) {
      result.offset[r] = in(r, 3);
      for (int c = 0; c < rank; ++c) result.offset[r] += in(r, c) * static_cast<double>(shape[c]) / 2 - out(r, c) * extent[c] / 2;
    }
  }
  if (scale_extent) {
    std::array<double, 3> shift{};
    for (int r = 0; r < rank; ++r) shift[r] = 0.5 * (static_cast<double>(shape[r]) / extent[r] - 1.0);
    const auto at = image::apply(in, shift);
    for (int r = 0; r < rank; ++r) result.offset[r] = result.offset[r] == 0 ? 0 : std::copysign(std::fabs(at[r]), result.offset[r]);
  }
  return result;
}

Affine scale_affine(const Shape& in, const Shape& out) {
  Affine a;
  for (std::size_t i = 0; i < std::min<std::size_t>(in.size(), 3); ++i) {
    const double s = static_cast<double>(in[i]) / static_cast<double>(std::max<std::int64_t>(out[i], 1));
    a(static_cast<int>(i), static_cast<int>(i)) = s;
    a(static_cast<int>(i), 3) = (s - 1) / 2;
  }
  return a;
}

bool all_close(const Affine& a, const Affine& b, double tolerance) {
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c)
      if (!(std::fabs(a(r, c) - b(r, c)) <= tolerance + 1e-5 * std::fabs(b(r, c)))) return false;
  return true;
}

}  // namespace vesal::transforms
