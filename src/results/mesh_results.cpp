// Meshes of the classes: STL, OBJ, GLB.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "image/mesh.h"
#include "results/result.h"

namespace vesal::results {
namespace {

/// One per cent of the volume, half a voxel of the place; half a voxel of volume where that is more.
void prove(const Result& result, const Segment& segment, const image::MeshFacts& facts) {
  if (!facts.closed) throw Error(ErrorKind::geometry, segment.name + ": its surface does not close; nothing was written");
  if (std::fabs(facts.ml - segment.ml) > 0.01 * segment.ml)
    throw Error(ErrorKind::geometry,
                fmt::format("{}: its surface holds {:.4f} ml, the mask {:.4f} ml; nothing was written", segment.name, facts.ml, segment.ml));
  compare(result, segment, {segment.ml, facts.centroid});
}

/// The smoothest surface that has the volume and the place of the voxels: what is thin or scattered bears less smoothing.
image::Mesh surface_for(const Result& result, const Segment& s) {
  Array voxels = result.voxels_of(s);
  for (int i = 0; i < 3; ++i) voxels = voxels.slice(i, s.low[static_cast<std::size_t>(i)], s.high[static_cast<std::size_t>(i)]);
  const image::Affine affine =
      result.mask.affine * image::Affine::translate(static_cast<double>(s.low[0]), static_cast<double>(s.low[1]), static_cast<double>(s.low[2]));
  for (const int fine : {1, 3}) {
    const image::Mesh rough = image::surface_of(voxels, affine, result.value_of(s), fine);
    for (int turns = 12;; turns /= 2) {
      image::Mesh mesh = rough;
      mesh.name = s.name;
      mesh.colour = s.colour;
      try {
        image::smooth(mesh, s.ml, turns);
        prove(result, s, image::facts_of(mesh));
        return mesh;
      } catch (const Error&) {
        if (turns == 0 && fine > 1) throw;
      }
      if (turns == 0) break;
    }
  }
  throw Error(ErrorKind::internal, "no surface");
}

void write(const std::filesystem::path& path, const Result& result) {
  std::vector<image::Mesh> meshes;
  std::vector<Segment> shown;
  for (const Segment& s : result.segments) {
    if (s.voxels == 0) continue;
    meshes.push_back(surface_for(result, s));
    shown.push_back(s);
  }
  if (meshes.empty()) throw Error(ErrorKind::unsupported, "nothing was found: there is no surface to write");
  const std::string extension = lower(path.extension().string());
  AtomicFile file(path);
  file.write(image::encode_meshes(extension, meshes));
  const std::vector<image::Mesh> back = image::decode_meshes(extension, read_text(file.temporary(), std::uint64_t{4} << 30));
  if (back.size() == shown.size()) {
    for (std::size_t i = 0; i < back.size(); ++i) prove(result, shown[i], image::facts_of(back[i]));
  } else {  // STL: all in one, proven as one
    Segment all = shown[0];
    all.name = "all classes", all.ml = 0, all.centroid = {};
    for (const Segment& s : shown) {
      all.ml += s.ml;
      for (std::size_t i = 0; i < 3; ++i) all.centroid[i] += s.ml * s.centroid[i];
    }
    for (double& v : all.centroid) v /= all.ml;
    image::MeshFacts facts = image::facts_of(back.at(0));
    facts.closed = true;  // of each by itself: points of two may coincide
    for (const image::Mesh& m : meshes) facts.closed = facts.closed && image::facts_of(m).closed;
    prove(result, all, facts);
  }
  file.commit();
}

const RegisterResult stl({"stl", {".stl"}, "binary STL of the surfaces, RAS mm", false, {}, write, true});
const RegisterResult obj({"obj", {".obj"}, "OBJ, an object for each class, RAS mm", false, {}, write});
const RegisterResult glb({"glb", {".glb"}, "GLB (glTF 2.0), a coloured node for each class", false, {}, write});

}  // namespace
}  // namespace vesal::results
