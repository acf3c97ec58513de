// Voxels worked on slab by slab, so that class x volume never exists as floats at scan resolution.
#pragma once
#include <functional>
#include <string>

#include "image/image.h"

namespace vesal::transforms {

/// Voxels computed from other voxels of the same grid whenever they are read. Thread safe if `map` is.
class MappedSource : public image::VoxelSource {
 public:
  using Map = std::function<Array(const Array&)>;  ///< [C, box...] -> [channels, box...] of type `type`
  MappedSource(image::VoxelSourcePtr from, std::int64_t channels, DType type, Map map)
      : from_(std::move(from)), channels_(channels), type_(type), map_(std::move(map)) {}
  std::int64_t channels() const override { return channels_; }
  const Shape& spatial_shape() const override { return from_->spatial_shape(); }
  DType dtype() const override { return type_; }
  Array read(const image::Box& box) const override { return map_(from_->read(box)); }
  image::Box needs(const image::Box& box) const override { return from_->needs(box); }

 private:
  image::VoxelSourcePtr from_;
  std::int64_t channels_;
  DType type_;
  Map map_;
};

/// Voxels kept in a small type (labels as uint8) that readers see in another (float32).
class StoredSource : public image::VoxelSource {
 public:
  StoredSource(Array storage, DType seen_as);  ///< storage [C, spatial...]
  std::int64_t channels() const override { return storage_.size(0); }
  const Shape& spatial_shape() const override { return spatial_; }
  DType dtype() const override { return seen_as_; }
  Array read(const image::Box& box) const override;
  const Array& storage() const { return storage_; }

 private:
  Array storage_;
  Shape spatial_;
  DType seen_as_;
};

/// The image's voxels to read by boxes, without computing those that are deferred. The array wants a channel axis.
image::VoxelSourcePtr source_of(const image::Image& image);

/// The voxels of an image in the type they are kept in (uint8 for labels from AsDiscrete), computed if they must be.
Array stored_voxels(const image::Image& image);

/// Calls work(box, voxels) over slabs of a few megabytes that cover the grid, in parallel; shows progress under `title`.
void for_each_slab(const image::VoxelSource& source, const std::string& title, const std::function<void(const image::Box&, const Array&)>& work);

/// The same voxels with every channel C-contiguous: the channel stride is strides()[0]. Copies only if they are not so already.
Array contiguous_channels(const Array& voxels);

/// The part of a [C, spatial...] array inside a box, as a view.
Array view_of(const Array& array, const image::Box& box);

}  // namespace vesal::transforms
