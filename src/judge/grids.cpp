#include "judge/grids.h"

#include <algorithm>
#include <cmath>

namespace vesal::judge {

using image::Affine;

Array volume_of(const image::Image& image) {
  Array a = image.array();
  while (a.dim() > 3 && a.size(-1) == 1) a = a.squeeze(-1);
  if (a.dim() == 4 && a.size(0) == 1) a = a.squeeze(0);
  while (a.dim() < 3 && a.dim() > 0) a = a.unsqueeze(a.dim());
  if (a.dim() != 3) throw Error(ErrorKind::shape, "one volume [x, y, z] is expected, not " + to_string(image.shape()));
  return a;
}

double corner_distance(const Shape& shape, const Affine& a, const Affine& b) {
  double most = 0;
  for (int corner = 0; corner < 8; ++corner) {
    std::array<double, 3> at{};
    for (std::size_t i = 0; i < 3; ++i) at[i] = corner >> i & 1 ? static_cast<double>(shape[i] - 1) : 0;
    const auto p = image::apply(a, at), q = image::apply(b, at);
    most = std::max(most, std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  return most;
}

double grid_tolerance(const Affine& affine) {
  const auto spacing = image::spacing_of(affine);
  return 0.1 * std::min({spacing[0], spacing[1], spacing[2]});
}

bool same_grid(const Shape& shape, const Affine& affine, const Shape& other_shape, const Affine& other) {
  return shape == other_shape && corner_distance(shape, affine, other) <= grid_tolerance(affine);
}

std::optional<Array> on_grid(const Array& volume, const Affine& affine, const Shape& wanted_shape, const Affine& wanted) {
  if (same_grid(wanted_shape, wanted, volume.shape(), affine)) return volume;
  const auto have = image::orientation_of(affine), want = image::orientation_of(wanted);
  std::array<int, 3> axes{};
  Array turned = volume;
  Affine moved = affine;
  for (int i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int from = static_cast<int>(std::find(have.axis.begin(), have.axis.end(), want.axis[at]) - have.axis.begin());
    axes[at] = from;
    if (have.sign[static_cast<std::size_t>(from)] != want.sign[at]) {
      turned = turned.flip(from);
      for (int r = 0; r < 3; ++r) {
        moved(r, 3) += moved(r, from) * static_cast<double>(volume.size(from) - 1);
        moved(r, from) = -moved(r, from);
      }
    }
  }
  turned = turned.permute(axes);
  Affine permuted = moved;
  for (int i = 0; i < 3; ++i)
    for (int r = 0; r < 3; ++r) permuted(r, i) = moved(r, axes[static_cast<std::size_t>(i)]);
  if (!same_grid(wanted_shape, wanted, turned.shape(), permuted)) return std::nullopt;
  return turned;
}

}  // namespace vesal::judge
