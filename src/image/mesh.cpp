#include "image/mesh.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace vesal::image {
namespace {

// A cube has its corners at the centres of eight voxels, corner c at (c & 1, c >> 1 & 1, c >> 2); an edge joins two of them and carries at most
// one vertex, in its middle. Within a cube the surface is some closed loops of edges, each cut into triangles.
constexpr int kEdges = 12;
struct Edge {
  int a, b;
};
constexpr Edge kEdge[kEdges] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}};
/// Corners of the faces, counterclockwise seen from outside of the cube.
constexpr int kFace[6][4] = {{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}};

int edge_between(int a, int b) {
  for (int e = 0; e < kEdges; ++e)
    if ((kEdge[e].a == a && kEdge[e].b == b) || (kEdge[e].a == b && kEdge[e].b == a)) return e;
  return -1;
}

bool share_face(int e, int f) {
  for (const auto& face : kFace) {
    int found = 0;
    for (int i = 0; i < 4; ++i) {
      const int between = edge_between(face[i], face[(i + 1) % 4]);
      found += (between == e) + (between == f);
    }
    if (found == 2) return true;
  }
  return false;
}

using Triangles = std::vector<std::array<int, 3>>;

/// A loop as a fan around one of its edges. No inner line may join two edges of one face: the neighbouring cube could draw the same line.
Triangles fan_of(const std::vector<int>& loop) {
  const std::size_t n = loop.size();
  for (std::size_t apex = 0; apex < n; ++apex) {
    bool good = true;
    Triangles fan;
    for (std::size_t i = 1; i + 1 < n; ++i) {
      const int a = loop[apex], b = loop[(apex + i) % n], c = loop[(apex + i + 1) % n];
      if (i + 2 < n && share_face(a, c)) good = false;
      fan.push_back({a, b, c});
    }
    if (good) return fan;
  }
  return {};
}

/// Cuts off corner after corner wherever the line that does it lies in no face; a fan is one way of many.
bool cut_ears(std::vector<int> loop, Triangles& out) {
  if (loop.size() == 3) {
    out.push_back({loop[0], loop[1], loop[2]});
    return true;
  }
  for (std::size_t i = 0; i < loop.size(); ++i) {
    const std::size_t n = loop.size();
    const int a = loop[(i + n - 1) % n], b = loop[i], c = loop[(i + 1) % n];
    if (share_face(a, c)) continue;
    std::vector<int> rest = loop;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    const std::size_t before = out.size();
    out.push_back({a, b, c});
    if (cut_ears(rest, out)) return true;
    out.resize(before);
  }
  return false;
}

/// The triangles of each of the 256 cubes, as triples of edges.
struct Table {
  std::array<Triangles, 256> of;
  Table() {
    for (int corners = 0; corners < 256; ++corners) {
      // On each face the surface runs from the edge where the walk around it leaves the label to the edge where it last came in: each corner of the
      // label is cut off by itself, and the label lies to the left seen from outside of it.
      std::array<int, kEdges> next;
      next.fill(-1);
      for (const auto& face : kFace) {
        for (int i = 0; i < 4; ++i) {
          if (!(corners >> face[i] & 1) || (corners >> face[(i + 1) % 4] & 1)) continue;
          int j = i;
          while (corners >> face[(j + 3) % 4] & 1) j = (j + 3) % 4;
          next[static_cast<std::size_t>(edge_between(face[i], face[(i + 1) % 4]))] = edge_between(face[(j + 3) % 4], face[j]);
        }
      }
      std::array<bool, kEdges> done{};
      for (int e = 0; e < kEdges; ++e) {
        if (next[static_cast<std::size_t>(e)] < 0 || done[static_cast<std::size_t>(e)]) continue;
        std::vector<int> loop;
        for (int at = e; !done[static_cast<std::size_t>(at)]; at = next[static_cast<std::size_t>(at)]) {
          done[static_cast<std::size_t>(at)] = true;
          loop.push_back(at);
        }
        Triangles triangles = fan_of(loop);
        if (triangles.empty() && !cut_ears(loop, triangles)) throw Error(ErrorKind::internal, "marching cubes: a loop that cannot be cut");
        auto& all = of[static_cast<std::size_t>(corners)];
        all.insert(all.end(), triangles.begin(), triangles.end());
      }
    }
  }
};

/// The label's voxels as bytes with a border of zeros, x fastest, cut to where they are.
struct Field {
  std::array<std::int64_t, 3> begin{}, size{};  ///< in voxels of the array; the border included
  int fine = 1;                                 ///< then `size` counts these parts of voxels
  /// Where a corner lies along an axis, in voxels of the array.
  double place(std::size_t axis, double corner) const {
    return static_cast<double>(begin[axis]) + 1 + (corner - 1) / fine - (fine - 1) / (2.0 * fine);
  }
  std::vector<std::uint8_t> bytes;
  std::int64_t offset(std::int64_t x, std::int64_t y, std::int64_t z) const { return x + size[0] * (y + size[1] * z); }
};

Field field_of(const Array& voxels, std::int64_t label) {
  if (voxels.dim() != 3) throw Error(ErrorKind::shape, "a surface wants voxels [x, y, z], got " + to_string(voxels.shape()));
  std::array<std::int64_t, 3> low{voxels.size(0), voxels.size(1), voxels.size(2)}, high{-1, -1, -1};
  std::vector<std::vector<std::uint8_t>> planes(static_cast<std::size_t>(voxels.size(2)));
  for (std::int64_t z = 0; z < voxels.size(2); ++z) {
    const Array plane = voxels.select(2, z).permute(std::array{1, 0}).to(DType::i64).contiguous();
    const std::int64_t* p = plane.data<std::int64_t>();
    auto& bytes = planes[static_cast<std::size_t>(z)];
    for (std::int64_t y = 0; y < voxels.size(1); ++y)
      for (std::int64_t x = 0; x < voxels.size(0); ++x, ++p) {
        if (*p != label) continue;
        if (bytes.empty()) bytes.assign(static_cast<std::size_t>(plane.numel()), 0);
        bytes[static_cast<std::size_t>(y * voxels.size(0) + x)] = 1;
        low = {std::min(low[0], x), std::min(low[1], y), std::min(low[2], z)};
        high = {std::max(high[0], x), std::max(high[1], y), std::max(high[2], z)};
      }
  }
  Field field;
  if (high[0] < 0) return field;
  for (std::size_t i = 0; i < 3; ++i) field.begin[i] = low[i] - 1, field.size[i] = high[i] - low[i] + 3;
  field.bytes.assign(static_cast<std::size_t>(field.size[0] * field.size[1] * field.size[2]), 0);
  for (std::int64_t z = low[2]; z <= high[2]; ++z) {
    const auto& bytes = planes[static_cast<std::size_t>(z)];
    if (bytes.empty()) continue;
    for (std::int64_t y = low[1]; y <= high[1]; ++y)
      std::copy_n(bytes.begin() + y * voxels.size(0) + low[0], high[0] - low[0] + 1,
                  field.bytes.begin() + field.offset(1, y - field.begin[1], z - field.begin[2]));
  }
  return field;
}

/// Each voxel as fine^3 parts; the border stays one part wide.
Field divided(const Field& field, int fine) {
  if (fine == 1 || field.bytes.empty()) return field;
  Field out;
  out.begin = field.begin;
  out.fine = fine;
  double parts = 1;
  for (std::size_t i = 0; i < 3; ++i) out.size[i] = (field.size[i] - 2) * fine + 2, parts *= static_cast<double>(out.size[i]);
  if (parts > 2e9) throw Error(ErrorKind::memory, "a surface this fine of a label this large takes too much memory");
  out.bytes.assign(static_cast<std::size_t>(parts), 0);
  for (std::int64_t z = 1; z + 1 < out.size[2]; ++z)
    for (std::int64_t y = 1; y + 1 < out.size[1]; ++y)
      for (std::int64_t x = 1; x + 1 < out.size[0]; ++x)
        out.bytes[static_cast<std::size_t>(out.offset(x, y, z))] =
            field.bytes[static_cast<std::size_t>(field.offset(1 + (x - 1) / fine, 1 + (y - 1) / fine, 1 + (z - 1) / fine))];
  return out;
}

}  // namespace

Mesh surface_of(const Array& voxels, const Affine& affine, std::int64_t label, int fine) {
  static const Table table;
  const Field field = divided(field_of(voxels, label), fine);
  Mesh mesh;
  if (field.bytes.empty()) return mesh;
  check(affine);
  std::unordered_map<std::int64_t, std::uint32_t> vertex_at;  // of an edge: its first corner's offset times 3 and its axis
  const auto vertex = [&](std::int64_t x, std::int64_t y, std::int64_t z, int e) {
    const int axis = e / 4, corner = kEdge[e].a;
    const std::int64_t cx = x + (corner & 1), cy = y + (corner >> 1 & 1), cz = z + (corner >> 2);
    const auto [found, fresh] = vertex_at.emplace(field.offset(cx, cy, cz) * 3 + axis, static_cast<std::uint32_t>(mesh.vertices.size()));
    if (fresh) {
      if (mesh.vertices.size() >= 100'000'000) throw Error(ErrorKind::memory, "the surface has more than 100 million vertices");
      std::array<double, 3> at{static_cast<double>(cx), static_cast<double>(cy), static_cast<double>(cz)};
      at[static_cast<std::size_t>(axis)] += 0.5;
      for (std::size_t i = 0; i < 3; ++i) at[i] = field.place(i, at[i]);
      const auto world = image::apply(affine, at);
      mesh.vertices.push_back({static_cast<float>(world[0]), static_cast<float>(world[1]), static_cast<float>(world[2])});
    }
    return found->second;
  };
  for (std::int64_t z = 0; z + 1 < field.size[2]; ++z)
    for (std::int64_t y = 0; y + 1 < field.size[1]; ++y)
      for (std::int64_t x = 0; x + 1 < field.size[0]; ++x) {
        unsigned corners = 0;
        for (unsigned c = 0; c < 8; ++c)
          corners |= static_cast<unsigned>(field.bytes[static_cast<std::size_t>(field.offset(x + (c & 1), y + (c >> 1 & 1), z + (c >> 2)))]) << c;
        if (corners == 0 || corners == 255) continue;
        for (const auto& t : table.of[corners]) mesh.triangles.push_back({vertex(x, y, z, t[0]), vertex(x, y, z, t[1]), vertex(x, y, z, t[2])});
      }
  if (facts_of(mesh).ml < 0)  // a grid that mirrors turns every triangle round
    for (auto& t : mesh.triangles) std::swap(t[1], t[2]);
  return mesh;
}

MeshFacts facts_of(const Mesh& mesh) {
  MeshFacts facts;
  if (mesh.triangles.empty()) return facts;
  // About a point nearby, so that large coordinates do not eat the digits.
  const auto& origin = mesh.vertices[0];
  double volume = 0;
  std::array<double, 3> moment{};
  std::vector<std::uint64_t> edges;
  edges.reserve(mesh.triangles.size() * 3);
  for (const auto& t : mesh.triangles) {
    std::array<std::array<double, 3>, 3> p;
    for (std::size_t k = 0; k < 3; ++k)
      for (std::size_t i = 0; i < 3; ++i) p[k][i] = static_cast<double>(mesh.vertices[t[k]][i]) - static_cast<double>(origin[i]);
    const double six = p[0][0] * (p[1][1] * p[2][2] - p[1][2] * p[2][1]) - p[0][1] * (p[1][0] * p[2][2] - p[1][2] * p[2][0]) +
                       p[0][2] * (p[1][0] * p[2][1] - p[1][1] * p[2][0]);
    volume += six / 6;
    for (std::size_t i = 0; i < 3; ++i) moment[i] += six / 24 * (p[0][i] + p[1][i] + p[2][i]);
    for (std::size_t k = 0; k < 3; ++k) edges.push_back(static_cast<std::uint64_t>(t[k]) << 32 | t[(k + 1) % 3]);
  }
  for (std::size_t i = 0; i < 3; ++i) facts.centroid[i] = static_cast<double>(origin[i]) + (volume != 0 ? moment[i] / volume : 0);
  facts.ml = volume / 1000;
  std::sort(edges.begin(), edges.end());
  facts.closed = std::adjacent_find(edges.begin(), edges.end()) == edges.end();
  for (const std::uint64_t e : edges)
    if (facts.closed && !std::binary_search(edges.begin(), edges.end(), e << 32 | e >> 32)) facts.closed = false;
  return facts;
}

}  // namespace vesal::image
