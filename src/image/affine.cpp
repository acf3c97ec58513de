#include "image/affine.h"

#include <algorithm>
#include <cmath>

namespace vesal::image {

Affine Affine::scale(double x, double y, double z) {
  Affine a;
  a(0, 0) = x, a(1, 1) = y, a(2, 2) = z;
  return a;
}

Affine Affine::translate(double x, double y, double z) {
  Affine a;
  a(0, 3) = x, a(1, 3) = y, a(2, 3) = z;
  return a;
}

Affine Affine::from_array(const Array& array) {
  const std::int64_t n = array.dim() == 2 ? array.size(0) : 0;
  if ((n != 4 && n != 3) || array.size(1) != n) throw Error(ErrorKind::shape, "an affine is 4x4, got " + to_string(array.shape()));
  Affine a;
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c) {
      const int row = n == 3 && r == 2 ? 3 : r, column = n == 3 && c == 2 ? 3 : c;
      a(row, column) = array.at({r, c});
    }
  return a;
}

Array Affine::to_array() const {
  Array a = Array::empty({4, 4}, DType::f64);
  for (int r = 0; r < 4; ++r) std::copy(m[r].begin(), m[r].end(), a.data<double>() + 4 * r);
  return a;
}

Affine operator*(const Affine& a, const Affine& b) {
  Affine out;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) {
      out(r, c) = 0;
      for (int k = 0; k < 4; ++k) out(r, c) += a(r, k) * b(k, c);
    }
  return out;
}

Affine inverse(const Affine& a) {
  check(a);
  // Gauss-Jordan with partial pivoting on [a | 1].
  double w[4][8] = {};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) w[r][c] = a(r, c);
    w[r][4 + r] = 1;
  }
  for (int k = 0; k < 4; ++k) {
    int pivot = k;
    for (int r = k + 1; r < 4; ++r)
      if (std::fabs(w[r][k]) > std::fabs(w[pivot][k])) pivot = r;
    if (w[pivot][k] == 0) throw Error(ErrorKind::geometry, "the affine is singular");
    std::swap(w[k], w[pivot]);
    const double d = w[k][k];
    for (double& v : w[k]) v /= d;
    for (int r = 0; r < 4; ++r) {
      if (r == k) continue;
      const double f = w[r][k];
      for (int c = 0; c < 8; ++c) w[r][c] -= f * w[k][c];
    }
  }
  Affine out;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) out(r, c) = w[r][4 + c];
  return out;
}

std::array<double, 3> apply(const Affine& a, const std::array<double, 3>& p) {
  std::array<double, 3> out{};
  for (int r = 0; r < 3; ++r) out[r] = a(r, 0) * p[0] + a(r, 1) * p[1] + a(r, 2) * p[2] + a(r, 3);
  return out;
}

std::array<double, 3> spacing_of(const Affine& a) {
  std::array<double, 3> out{};
  for (int c = 0; c < 3; ++c) out[c] = std::sqrt(a(0, c) * a(0, c) + a(1, c) * a(1, c) + a(2, c) * a(2, c));
  return out;
}

double max_difference(const Affine& a, const Affine& b) {
  double d = 0;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) d = std::max(d, std::fabs(a(r, c) - b(r, c)));
  return d;
}

void check(const Affine& a) {
  for (const auto& row : a.m)
    for (double v : row)
      if (!std::isfinite(v)) throw Error(ErrorKind::geometry, "the affine has entries that are not finite");
  const double det = a(0, 0) * (a(1, 1) * a(2, 2) - a(1, 2) * a(2, 1)) - a(0, 1) * (a(1, 0) * a(2, 2) - a(1, 2) * a(2, 0)) +
                     a(0, 2) * (a(1, 0) * a(2, 1) - a(1, 1) * a(2, 0));
  const auto s = spacing_of(a);
  if (!(std::fabs(det) > 1e-9 * s[0] * s[1] * s[2]) || s[0] * s[1] * s[2] == 0)
    throw Error(ErrorKind::geometry, "the affine is singular: voxels have no volume");
}

std::array<std::array<double, 3>, 3> nearest_rotation(const Affine& a) {
  check(a);
  // The polar factor by Newton's iteration: the matrix U V' of the singular value decomposition that nibabel takes.
  const auto zoom = spacing_of(a);
  std::array<std::array<double, 3>, 3> q{};
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) q[r][c] = a(r, c) / zoom[c];
  for (int step = 0; step < 40; ++step) {
    Affine full;
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) full(r, c) = q[r][c];
    const Affine inv = inverse(full);
    double change = 0;
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) {
        const double next = 0.5 * (q[r][c] + inv(c, r));
        change = std::max(change, std::fabs(next - q[r][c]));
        q[r][c] = next;
      }
    if (change < 1e-14) break;
  }
  return q;
}

Orientation orientation_of(const Affine& a) {
  const auto q = nearest_rotation(a);
  Orientation o{{-1, -1, -1}, {1, 1, 1}};
  std::array<bool, 3> taken{};
  for (int c = 0; c < 3; ++c) {
    int best = -1;
    for (int r = 0; r < 3; ++r)
      if (!taken[r] && (best < 0 || std::fabs(q[r][c]) > std::fabs(q[best][c]))) best = r;
    taken[best] = true;
    o.axis[c] = best;
    o.sign[c] = q[best][c] < 0 ? -1 : 1;
  }
  return o;
}

std::string axcodes(const Orientation& o) {
  static constexpr char kNegative[] = "LPI", kPositive[] = "RAS";
  std::string s;
  for (int i = 0; i < 3; ++i) s += o.sign[i] < 0 ? kNegative[o.axis[i]] : kPositive[o.axis[i]];
  return s;
}

Orientation parse_axcodes(const std::string& codes) {
  Orientation o{};
  std::array<bool, 3> taken{};
  if (codes.size() != 3) throw Error(ErrorKind::usage, "orientation '" + codes + "': three letters wanted, e.g. RAS");
  for (int i = 0; i < 3; ++i) {
    const auto negative = std::string_view("LPI").find(codes[i]), positive = std::string_view("RAS").find(codes[i]);
    const auto axis = std::min(negative, positive);
    if (axis > 2 || taken[axis]) throw Error(ErrorKind::usage, "orientation '" + codes + "': one of each of L/R, P/A, I/S wanted, e.g. RAS");
    taken[axis] = true;
    o.axis[i] = static_cast<int>(axis);
    o.sign[i] = positive <= 2 ? 1 : -1;
  }
  return o;
}

}  // namespace vesal::image
