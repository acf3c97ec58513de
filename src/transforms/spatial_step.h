// What spatial transforms leave on an image's trail, and how each is taken back.
#pragma once
#include <string>

#include "transforms/resampling.h"

namespace vesal::transforms {

using image::Image;

/// Extents after the channel axis; throws Error(shape) without any.
Shape spatial_shape(const Image& image);

/// The axes of a rank-`rank` grid within a 4x4 affine: the upper left block and the translation, identity elsewhere.
image::Affine of_rank(const image::Affine& a, int rank);

/// Output axis k is input axis `from[k]`, read backwards where flip[k]. Voxels are shared, not copied.
struct AxisMap {
  std::vector<int> from;
  std::vector<bool> flip;
  image::Affine matrix(const Shape& in) const;  ///< output voxel -> input voxel
};
Image rearrange(const Image& image, const AxisMap& map, const std::string& name);

/// Output voxel i is input voxel i + begin; `voxels` [C, ...] are those of the output. Taking it back fills with zeros.
Image with_window(const Image& image, Array voxels, const Shape& begin, const std::string& name);
/// The part [begin, end) of the image, which must lie inside it; shares the voxels.
Image crop(const Image& image, const Shape& begin, const Shape& end, const std::string& name);

/// Voxels [begin, begin + shape) of a source; zero where there are none.
image::VoxelSourcePtr window_of(image::VoxelSourcePtr voxels, Shape begin, Shape shape);

/// Base of the steps: knows where the image was before and checks what it is to take back.
class Step : public image::SpatialStep {
 public:
  Step(std::string name, image::Affine input_affine, Shape input_shape, Shape output_shape)
      : name_(std::move(name)), input_affine_(input_affine), input_shape_(std::move(input_shape)), output_shape_(std::move(output_shape)) {}
  std::string name() const override { return name_; }
  image::Affine input_affine() const override { return input_affine_; }
  Shape input_shape() const override { return input_shape_; }
  /// Throws Error(geometry) if the voxels are not on the step's output grid.
  image::VoxelSourcePtr undo(image::VoxelSourcePtr voxels, bool nearest) const final;

 protected:
  virtual image::VoxelSourcePtr back(image::VoxelSourcePtr voxels, bool nearest) const = 0;
  const Shape& output_shape() const { return output_shape_; }

 private:
  std::string name_;
  image::Affine input_affine_;
  Shape input_shape_, output_shape_;
};

}  // namespace vesal::transforms
