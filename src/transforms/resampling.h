// Resampling a [C, spatial...] volume onto another grid, whole or box by box.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <variant>

#include "image/affine.h"
#include "image/image.h"
#include "kernels/resample.h"

namespace vesal::transforms {

/// How MONAI's SpatialResample interpolates.
struct SampleOptions {
  kernels::Interpolation interpolation = kernels::Interpolation::linear;
  kernels::Padding padding = kernels::Padding::border;
  bool align_corners = false;
};
/// "bilinear" or "nearest", and "zeros", "border" or "reflection"; throws Error(config) for others. Rank: number of spatial axes.
SampleOptions sample_options(const std::string& mode, const std::string& padding, bool align_corners);

/// Immutable; applies to any number of channels. Results are float32.
class Resampling {
 public:
  /// `voxel_map` takes output voxels to input voxels; 1 to 3 spatial axes. As MONAI's AffineTransform does it with torch, in double precision.
  /// A matrix that is diagonal but for the order of axes is done axis by axis.
  static Resampling affine(const image::Affine& voxel_map, Shape in, Shape out, SampleOptions options);
  /// One table per spatial axis.
  static Resampling separable(std::vector<kernels::AxisTable> tables);

  const Shape& in_shape() const { return in_; }
  const Shape& out_shape() const { return out_; }
  /// [C, in...] -> [C, out...], on all threads.
  Array apply(const Array& voxels) const;
  /// The same on demand: a box is made from just the voxels it needs.
  image::VoxelSourcePtr apply(image::VoxelSourcePtr voxels) const;
  /// One box of it.
  Array read(const image::VoxelSource& voxels, const image::Box& box) const;
  /// The input voxels that a box looks at.
  image::Box needs(const image::Box& box) const;

 private:
  /// Tables by output axis; output axis k runs along input axis `axis[k]`. Padded with leading axes to three.
  struct Separable {
    std::array<kernels::AxisTable, 3> tables;
    std::array<int, 3> axis;
  };
  Shape in_, out_;
  std::variant<std::shared_ptr<const Separable>, std::shared_ptr<const kernels::AffineSampling>> plan_;
};

}  // namespace vesal::transforms
