#include <cmath>

#include "image/mesh.h"

namespace vesal::image {
namespace {

using Points = std::vector<std::array<float, 3>>;

/// Each vertex a part of the way to the middle of its neighbours; negative: away from it. Every edge is counted from both of its triangles.
void move_to_neighbours(Mesh& mesh, float part, Points& sums, std::vector<std::uint32_t>& counts) {
  sums.assign(mesh.vertices.size(), {0, 0, 0});
  counts.assign(mesh.vertices.size(), 0);
  for (const auto& t : mesh.triangles)
    for (std::size_t k = 0; k < 3; ++k) {
      const auto& next = mesh.vertices[t[(k + 1) % 3]];
      auto& sum = sums[t[k]];
      for (std::size_t i = 0; i < 3; ++i) sum[i] += next[i];
      ++counts[t[k]];
    }
  for (std::size_t v = 0; v < mesh.vertices.size(); ++v)
    for (std::size_t i = 0; i < 3; ++i) mesh.vertices[v][i] += part * (sums[v][i] / static_cast<float>(counts[v]) - mesh.vertices[v][i]);
}

/// Unit normals of the vertices, and the surface in mm2.
double normals_of(const Mesh& mesh, Points& normals) {
  normals.assign(mesh.vertices.size(), {0, 0, 0});
  double surface = 0;
  for (const auto& t : mesh.triangles) {
    const auto &a = mesh.vertices[t[0]], &b = mesh.vertices[t[1]], &c = mesh.vertices[t[2]];
    const std::array<float, 3> u{b[0] - a[0], b[1] - a[1], b[2] - a[2]}, w{c[0] - a[0], c[1] - a[1], c[2] - a[2]};
    const std::array<float, 3> n{u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]};
    surface += std::sqrt(static_cast<double>(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])) / 2;
    for (const std::uint32_t v : t)
      for (std::size_t i = 0; i < 3; ++i) normals[v][i] += n[i];
  }
  for (auto& n : normals) {
    const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (float& x : n) x = length > 0 ? x / length : 0;
  }
  return surface;
}

/// Newton's method on the distance: the volume changes by about surface x distance.
bool set_volume(Mesh& mesh, double ml) {
  Points normals;
  for (int step = 0; step < 20; ++step) {
    const double missing = (ml - facts_of(mesh).ml) * 1000;
    if (std::fabs(missing) <= ml * 1000 * 0.001) return true;
    const double surface = normals_of(mesh, normals);
    if (!(surface > 0)) return false;
    const auto distance = static_cast<float>(missing / surface);
    for (std::size_t v = 0; v < mesh.vertices.size(); ++v)
      for (std::size_t i = 0; i < 3; ++i) mesh.vertices[v][i] += distance * normals[v][i];
  }
  return false;
}

}  // namespace

void smooth(Mesh& mesh, double ml, int turns) {
  if (mesh.triangles.empty()) return;
  const Points before = mesh.vertices;
  Points sums;
  std::vector<std::uint32_t> counts;
  for (;; turns /= 2) {
    for (int i = 0; i < turns; ++i) {
      move_to_neighbours(mesh, 0.5f, sums, counts);
      move_to_neighbours(mesh, -0.53f, sums, counts);
    }
    if (set_volume(mesh, ml)) return;
    if (turns == 0) throw Error(ErrorKind::geometry, "the surface cannot be given the volume of the voxels");
    mesh.vertices = before;
  }
}

}  // namespace vesal::image
