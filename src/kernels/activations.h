// Activations of a network as the engine's kernels have them, and the pointwise functions they fuse.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace vesal::kernels {

/// Channels of a block; a blocked activation is [ceil(channels / 16)][x][y][z][16], lanes past the last channel hold zeros.
constexpr std::int64_t kBlock = 16;
/// Activations of no more channels than this are planar: [channels][x][y][z].
constexpr std::int64_t kMostPlanarChannels = 4;

using Extents = std::array<std::int64_t, 3>;

inline std::int64_t voxels(const Extents& e) { return e[0] * e[1] * e[2]; }
inline std::int64_t blocks(std::int64_t channels) { return (channels + kBlock - 1) / kBlock; }

/// One sample's activations, float32; owns nothing. Axes a network of fewer dimensions lacks come first and have extent 1.
struct Activations {
  float* data = nullptr;
  std::int64_t channels = 0;
  Extents extents{1, 1, 1};
  bool planar = false;
  /// Floats from one block (planar: channel) to the next; larger than its size where it is a part of something.
  std::int64_t pitch = 0;

  std::int64_t parts() const { return planar ? channels : blocks(channels); }
  std::int64_t part_size() const { return voxels(extents) * (planar ? 1 : kBlock); }
};

/// Floats of such activations when nothing lies between the blocks.
inline std::int64_t activation_size(std::int64_t channels, const Extents& extents) {
  return voxels(extents) * (channels <= kMostPlanarChannels ? channels : blocks(channels) * kBlock);
}

/// A function of one number. leaky_relu and prelu: x < 0 ? slope * x : x; elu: x < 0 ? slope * (exp(x) - 1) : x.
enum class Function { identity, relu, leaky_relu, prelu, silu, sigmoid, tanh, elu };

struct Pointwise {
  Function function = Function::identity;
  std::vector<float> slope = {};  ///< leaky_relu, elu: one number; prelu: one or one per channel

  bool is_identity() const { return function == Function::identity; }
};

/// y = f(scale[c] * x + shift[c]), each array one number per channel padded with zeros to whole blocks; null scale: y = f(x).
struct ChannelMap {
  const float* scale = nullptr;
  const float* shift = nullptr;
  Pointwise after;
};

}  // namespace vesal::kernels
