#include "image/mesh.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>

#include "base/file.h"

namespace vesal::image {
namespace {

namespace fs = std::filesystem;

/// A ball with a smaller hole in it and a thin plate beside it.
Array shapes() {
  Array a = Array::zeros({40, 36, 30}, DType::u8);
  for (std::int64_t x = 0; x < 40; ++x)
    for (std::int64_t y = 0; y < 36; ++y)
      for (std::int64_t z = 0; z < 30; ++z) {
        const double r = std::hypot(static_cast<double>(x) - 15, static_cast<double>(y) - 17, static_cast<double>(z) - 14);
        if ((r < 11 && r > 4) || (x == 33 && y > 4 && y < 30)) a.data<std::uint8_t>()[(x * 36 + y) * 30 + z] = 3;
      }
  return a;
}

/// Volume in ml and centroid in mm of the voxels themselves.
std::pair<double, std::array<double, 3>> of_voxels(const Array& voxels, const Affine& affine, std::int64_t label) {
  double n = 0;
  std::array<double, 3> at{};
  for (std::int64_t x = 0; x < voxels.size(0); ++x)
    for (std::int64_t y = 0; y < voxels.size(1); ++y)
      for (std::int64_t z = 0; z < voxels.size(2); ++z)
        if (voxels.at({x, y, z}) == static_cast<double>(label)) {
          ++n;
          at = {at[0] + static_cast<double>(x), at[1] + static_cast<double>(y), at[2] + static_cast<double>(z)};
        }
  for (double& v : at) v /= n;
  const auto s = spacing_of(affine);
  return {n * s[0] * s[1] * s[2] / 1000, image::apply(affine, at)};
}

const Affine kMirrored{{{{-0.8, 0, 0, 120}, {0, 0.9, 0, -40}, {0, 0, 2.5, 700}, {0, 0, 0, 1}}}};

TEST(Mesh, IsClosedAndKeepsVolumeAndPlace) {
  const Array voxels = shapes();
  for (const Affine& affine : {Affine::scale(1, 1, 1), kMirrored}) {
    Mesh mesh = surface_of(voxels, affine, 3);
    EXPECT_TRUE(facts_of(mesh).closed);
    EXPECT_GT(facts_of(mesh).ml, 0);
    const auto [ml, centroid] = of_voxels(voxels, affine, 3);
    smooth(mesh, ml);
    const MeshFacts facts = facts_of(mesh);
    EXPECT_TRUE(facts.closed);
    EXPECT_NEAR(facts.ml, ml, 0.01 * ml);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(facts.centroid[i], centroid[i], spacing_of(affine)[i] / 2) << i;
  }
}

TEST(Mesh, NoiseWithEveryKindOfCubeIsClosed) {
  std::mt19937 random(5);
  Array voxels = Array::zeros({14, 13, 12}, DType::u16);
  for (std::int64_t i = 0; i < voxels.numel(); ++i) voxels.data<std::uint16_t>()[i] = random() % 2;
  const Mesh mesh = surface_of(voxels, Affine{}, 1);
  const MeshFacts facts = facts_of(mesh);
  EXPECT_TRUE(facts.closed);
  EXPECT_GT(mesh.triangles.size(), 5000u);
  // Divided voxels: nearer to their volume and place without any help.
  const auto [ml, centroid] = of_voxels(voxels, Affine{}, 1);
  const MeshFacts fine = facts_of(surface_of(voxels, Affine{}, 1, 3));
  EXPECT_TRUE(fine.closed);
  EXPECT_LT(std::fabs(fine.ml - ml), 0.5 * std::fabs(facts.ml - ml));
  EXPECT_NEAR(fine.ml, ml, 0.15 * ml);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(fine.centroid[i], centroid[i], 0.1);
}

TEST(Mesh, OneVoxelAndNone) {
  Array voxels = Array::zeros({3, 3, 3}, DType::u8);
  EXPECT_TRUE(surface_of(voxels, Affine{}, 1).triangles.empty());
  voxels.data<std::uint8_t>()[13] = 1;
  Mesh mesh = surface_of(voxels, Affine::scale(2, 2, 2), 1);
  EXPECT_EQ(mesh.triangles.size(), 8u);
  smooth(mesh, 0.008);
  EXPECT_NEAR(facts_of(mesh).ml, 0.008, 0.00008);
  EXPECT_NEAR(facts_of(mesh).centroid[0], 2, 0.01);
}

TEST(Mesh, AnOpenSurfaceIsKnownAsOne) {
  Mesh mesh = surface_of(shapes(), Affine{}, 3);
  mesh.triangles.pop_back();
  EXPECT_FALSE(facts_of(mesh).closed);
}

TEST(Mesh, SmoothingTakesTheStepsOff) {
  const Array voxels = shapes();
  Mesh mesh = surface_of(voxels, Affine{}, 3), rough = mesh;
  const auto [ml, centroid] = of_voxels(voxels, Affine{}, 3);
  smooth(mesh, ml);
  // Points of the ball's outside lie nearer to one radius.
  const auto spread = [](const Mesh& m) {
    double n = 0, sum = 0, squares = 0;
    for (const auto& v : m.vertices) {
      const double r = std::hypot(v[0] - 15, v[1] - 17, v[2] - 14);
      if (r < 8 || r > 13) continue;
      ++n, sum += r, squares += r * r;
    }
    return std::sqrt(squares / n - sum / n * sum / n);
  };
  EXPECT_LT(spread(mesh), 0.7 * spread(rough));
}

class MeshFile : public testing::TestWithParam<const char*> {};

TEST_P(MeshFile, ComesBack) {
  Mesh mesh = surface_of(shapes(), kMirrored, 3);
  mesh.name = "left kidney";
  mesh.colour = {255, 99, 88};
  const std::vector<Mesh> meshes = std::string(GetParam()) == ".stl" ? std::vector{mesh} : std::vector{mesh, mesh};
  const std::string bytes = encode_meshes(GetParam(), meshes);
  const std::vector<Mesh> back = decode_meshes(GetParam(), bytes);
  ASSERT_EQ(back.size(), meshes.size());
  for (const Mesh& m : back) {
    EXPECT_EQ(m.vertices.size(), mesh.vertices.size());
    EXPECT_EQ(m.triangles.size(), mesh.triangles.size());
    EXPECT_TRUE(facts_of(m).closed);
    EXPECT_NEAR(facts_of(m).ml, facts_of(mesh).ml, 1e-3 * facts_of(mesh).ml);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{50}, bytes.size() / 2, bytes.size() - 1}) {
    if (std::string(GetParam()) == ".obj") continue;  // text that ends early is shorter text
    EXPECT_THROW(decode_meshes(GetParam(), bytes.substr(0, size)), Error) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, MeshFile, testing::Values(".stl", ".obj", ".glb"));

TEST(MeshFiles, SayInWhichSpaceTheyAre) {
  const Mesh mesh = surface_of(shapes(), Affine{}, 3);
  EXPECT_NE(encode_meshes(".stl", {mesh}).substr(0, 80).find("SPACE=RAS"), std::string::npos);
  EXPECT_NE(encode_meshes(".obj", {mesh}).substr(0, 80).find("SPACE=RAS"), std::string::npos);
  EXPECT_THROW(encode_meshes(".ply", {mesh}), Error);
}

}  // namespace
}  // namespace vesal::image
