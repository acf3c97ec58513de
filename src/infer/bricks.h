// A sliding window's output in bricks: each exists from the first window that touches it until nobody reads it any more.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "image/voxel_source.h"
#include "infer/blend.h"

namespace vesal::infer {

/// How an output's grid is cut into bricks: where windows begin and end, and in between, between an eighth and a quarter of a window thick.
/// Immutable.
class BrickLayout {
 public:
  explicit BrickLayout(const Blender& blender);
  std::int64_t count() const { return extent(0) * extent(1) * extent(2); }
  Region region(std::int64_t brick) const;
  const std::vector<std::int64_t>& edges(std::size_t axis) const { return edges_[axis]; }
  /// The bricks that a region touches, ascending.
  std::vector<std::int64_t> touched(const Region& region) const;

 private:
  std::int64_t extent(std::size_t axis) const { return static_cast<std::int64_t>(edges_[axis].size()) - 1; }
  std::array<std::vector<std::int64_t>, 3> edges_;
};

/// The blended output over the image (without padding), float32. Those that are finished may be read while others
/// are written. Reading one that is not throws Error(internal).
class Bricks : public image::VoxelSource {
 public:
  /// `kept`: float32, or float16 for half the memory: each value is then rounded as many times as windows lie over it.
  Bricks(Blender blender, std::int64_t channels, DType kept);

  std::int64_t channels() const override { return channels_; }
  const Shape& spatial_shape() const override { return shape_; }
  DType dtype() const override { return DType::f32; }
  Array read(const image::Box& box) const override;

  const Blender& blender() const { return blender_; }
  const BrickLayout& layout() const { return layout_; }
  /// Per axis, where bricks end, on the grid of this source.
  std::vector<std::vector<std::int64_t>> edges() const;
  /// A box of this source on the padded grid.
  Region region_of(const image::Box& box) const;
  std::uint64_t bytes(std::int64_t brick) const;

  /// Adds planes of window i, [C, planes, window...], those from `first` on, to a brick. Several threads may do that to different bricks.
  void add(std::int64_t brick, std::int64_t window, std::int64_t first, const Array& planes);
  /// All its windows are in: from here on it can be read.
  void finish(std::int64_t brick);
  void release(std::int64_t brick);

 private:
  struct Brick {
    Array sums;
    std::int64_t fresh_for = -1;  ///< the window that covers it all and was the first to come
    bool finished = false;
  };
  Blender blender_;
  BrickLayout layout_;
  std::int64_t channels_;
  DType kept_;
  Region over_image_;
  Shape shape_;
  std::vector<Brick> bricks_;
};

}  // namespace vesal::infer
