// Image: voxels with their place in the world and the trail of what was done to them (MONAI's MetaTensor).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/value.h"
#include "image/affine.h"
#include "image/voxel_source.h"

namespace vesal::image {

class Image;

/// One spatial operation that was applied, and how to take it back. Immutable; shared by copies of the image.
class SpatialStep {
 public:
  virtual ~SpatialStep() = default;
  virtual std::string name() const = 0;  ///< of the transform: "Spacing"
  /// Takes voxels on the step's output grid back to its input grid. `nearest` overrides the interpolation (for labels).
  virtual VoxelSourcePtr undo(VoxelSourcePtr voxels, bool nearest) const = 0;
  virtual Affine input_affine() const = 0;
  virtual Shape input_shape() const = 0;  ///< spatial extents before the step
};
using Trail = std::vector<std::shared_ptr<const SpatialStep>>;

/// Array [C, x, y, z] (or [x, y, z] before EnsureChannelFirst, [C, x, y] in 2D) + affine + metadata + trail.
/// Copies share voxels and metadata is copied; treat arrays of an Image as immutable once shared.
class Image : public Object {
 public:
  Image() = default;
  explicit Image(Array voxels, Affine affine = {}) : affine(affine), array_(std::move(voxels)) {}
  explicit Image(VoxelSourcePtr source, Affine affine = {}) : affine(affine), source_(std::move(source)) {}

  /// The voxels; computes and keeps them if they are still deferred.
  const Array& array() const;
  void set_array(Array voxels);
  /// Set while the voxels are still to be computed (after Invertd): consumers that can, read it slab by slab.
  const VoxelSourcePtr& deferred() const { return source_; }
  Shape shape() const;  ///< of the whole array, channel axis included; does not compute deferred voxels
  DType dtype() const;

  Affine affine;
  Dict meta;    ///< MONAI's names: "filename_or_obj", "original_affine", "spatial_shape", "original_channel_dim", "space"
  Trail trail;  ///< oldest first
  /// The same place, metadata and trail with other voxels.
  Image with(Array voxels) const;
  Image with(VoxelSourcePtr source) const;

  std::string type_name() const override { return "MetaTensor"; }
  std::string repr() const override;
  std::optional<Value> attribute(std::string_view name) override;  ///< meta, affine, shape, dtype, array, pixdim

 private:
  mutable Array array_;
  mutable VoxelSourcePtr source_;
};

/// An Image as a Value.
Value to_value(Image image);
/// The Image in a value, or a fresh one around a plain array; throws Error(config) for anything else.
Image image_of(const Value& value);
/// The voxels of an Image or array value; throws Error(config) for anything else.
Array array_of(const Value& value);

}  // namespace vesal::image
