// Random activations and their plain form for the tests of the engine's kernels.
#pragma once
#include <random>
#include <vector>

#include "kernels/activations.h"
#include "kernels/simd.h"

namespace vesal::kernels::tests {

using Plain = std::vector<float>;  ///< [channels][x][y][z]

inline Plain random_numbers(std::mt19937& random, std::int64_t n, float scale = 1) {
  std::normal_distribution<float> normal(0, scale);
  Plain out(static_cast<std::size_t>(n));
  for (float& x : out) x = normal(random);
  return out;
}

/// Owns what an Activations looks at; blocks lie `gap` floats apart from each other.
struct Stored {
  std::vector<float> memory;
  Activations view;

  Stored(std::int64_t channels, const Extents& extents, std::int64_t gap = 0, float fill = 0) {
    view.channels = channels;
    view.extents = extents;
    view.planar = channels <= kMostPlanarChannels;
    view.pitch = view.part_size() + gap;
    memory.assign(static_cast<std::size_t>(view.parts() * view.pitch), fill);
    view.data = memory.data();
  }
  float& at(std::int64_t channel, std::int64_t voxel) {
    if (view.planar) return memory[static_cast<std::size_t>(channel * view.pitch + voxel)];
    return memory[static_cast<std::size_t>(channel / kBlock * view.pitch + voxel * kBlock + channel % kBlock)];
  }
  void set(const Plain& plain) {
    const std::int64_t n = voxels(view.extents);
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(plain.size()); ++i) at(i / n, i % n) = plain[static_cast<std::size_t>(i)];
  }
  Plain plain() {
    const std::int64_t n = voxels(view.extents);
    Plain out(static_cast<std::size_t>(view.channels * n));
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(out.size()); ++i) out[static_cast<std::size_t>(i)] = at(i / n, i % n);
    return out;
  }
  /// The greatest number in lanes past the last channel.
  float beyond() {
    float most = 0;
    if (view.planar) return most;
    for (std::int64_t c = view.channels; c < blocks(view.channels) * kBlock; ++c)
      for (std::int64_t v = 0; v < voxels(view.extents); ++v) most = std::max(most, std::abs(at(c, v)));
    return most;
  }
};

/// Runs the test at every instruction set of this machine.
template <class Body>
void at_every_simd(const Body& body) {
  for (const std::string& name : simd_choices()) {
    SCOPED_TRACE(name);
    set_simd(name);
    body();
  }
  set_simd("auto");
}

}  // namespace vesal::kernels::tests
