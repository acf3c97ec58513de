// The surface of a label: triangles that close, in millimetres, with the volume of its voxels.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/picture.h"

namespace vesal::image {

/// Triangles as triples of vertex indices, counterclockwise seen from outside. Vertices in RAS mm.
struct Mesh {
  std::string name;
  Colour colour;
  std::vector<std::array<float, 3>> vertices;
  std::vector<std::array<std::uint32_t, 3>> triangles;
};

/// The surface around voxels [x, y, z] that equal `label`, halfway between them and their neighbours; the edge of the array counts as
/// outside. Every edge belongs to two triangles, so that the surface is closed and nowhere touches itself along an edge. Marching cubes
/// (Lorensen and Cline 1987) with a table that is made from one rule for all faces, "the label's corners stay apart", which no two cubes can
/// disagree about. `fine` divides a voxel that often along each axis: the surface keeps closer to the voxels, which thin and scattered ones
/// need to keep their volume and place. Empty if no voxel has the label. Throws Error(memory) above 100 million vertices.
Mesh surface_of(const Array& voxels, const Affine& affine, std::int64_t label, int fine = 1);

struct MeshFacts {
  double ml = 0;                     ///< enclosed volume
  std::array<double, 3> centroid{};  ///< of it, RAS mm
  bool closed = true;                ///< every edge belongs to two triangles that run it in opposite directions
};
MeshFacts facts_of(const Mesh& mesh);

/// Takes the steps of the voxels off (Taubin 1995: shrinking and growing in turn), then moves vertices along their normals until the volume is
/// `ml` to 0.1 %. Where that fails with many turns (thin parts), fewer are tried. Throws Error(geometry) if it fails with none.
void smooth(Mesh& mesh, double ml, int turns = 12);

/// A mesh file, told by its extension: .stl (binary, all meshes as one), .obj (one object each), .glb (one node each, coloured).
/// Coordinates are RAS mm; the header of STL and OBJ says SPACE=RAS, which 3D Slicer heeds (it takes files without for LPS), and NiiVue takes all
/// files for RAS. glTF has metres with y up: the root node of a GLB turns and scales, the vertices in it are RAS mm as well.
/// Written to a temporary name, then renamed. Throws Error(unsupported) for another extension.
void write_meshes(const std::filesystem::path& path, const std::vector<Mesh>& meshes);
/// The bytes that write_meshes writes.
std::string encode_meshes(const std::string& extension, const std::vector<Mesh>& meshes);
/// What encode_meshes made; an STL comes back as one mesh, with equal vertices joined. Throws Error(format).
std::vector<Mesh> decode_meshes(const std::string& extension, const std::string& bytes);

}  // namespace vesal::image
