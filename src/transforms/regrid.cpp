#include "transforms/regrid.h"

namespace vesal::transforms {
namespace {

using image::Affine;

/// Takes [C, in...] on one grid to another; shares the voxels if the grids agree within MONAI's tolerance.
struct Regrid {
  Affine map;  ///< output voxel -> input voxel
  bool unchanged;
  Regrid(const Affine& from, const Affine& to, const Shape& in, const Shape& out) : map(solve(from, to)) {
    unchanged = in == out && (all_close(from, to, kAffineTolerance) || all_close(map, {}, kAffineTolerance));
  }
};

class ResampleStep : public Step {
 public:
  ResampleStep(std::string name, const Image& before, const Image& after, SampleOptions options)
      : Step(std::move(name), before.affine, spatial_shape(before), spatial_shape(after)), output_affine_(after.affine), options_(options) {}

 protected:
  image::VoxelSourcePtr back(image::VoxelSourcePtr voxels, bool nearest) const override {
    const int rank = static_cast<int>(input_shape().size());
    const Regrid regrid(of_rank(output_affine_, rank), of_rank(input_affine(), rank), output_shape(), input_shape());
    if (regrid.unchanged) return voxels;
    SampleOptions options = options_;
    if (nearest) options.interpolation = kernels::Interpolation::nearest, options.align_corners = false;
    return Resampling::affine(regrid.map, output_shape(), input_shape(), options).apply(std::move(voxels));
  }

 private:
  Affine output_affine_;
  SampleOptions options_;
};

/// The image's affine within its own axes, usable.
Affine own_affine(const Image& image) {
  const int rank = static_cast<int>(spatial_shape(image).size());
  if (rank > 3) throw Error(ErrorKind::unsupported, "resampling wants at most three spatial axes, got " + std::to_string(rank));
  const Affine own = of_rank(image.affine, rank);
  image::check(own);
  return own;
}

}  // namespace

Image regridded(const Image& image, const Affine& to, const Shape& shape, const SampleOptions& options, const std::string& name) {
  const Shape in = spatial_shape(image);
  const Regrid regrid(own_affine(image), to, in, shape);
  const Array voxels = image.array();
  Image out = image.with(regrid.unchanged ? voxels.to(DType::f32) : Resampling::affine(regrid.map, in, shape, options).apply(voxels));
  if (!regrid.unchanged) out.affine = image.affine * regrid.map;
  out.trail.push_back(std::make_shared<ResampleStep>(name, image, out, options));
  return out;
}

Image resampled_to(const Image& image, const Affine& to, const std::optional<Shape>& shape, const SampleOptions& options, const std::string& name) {
  const Shape in = spatial_shape(image);
  const Affine target = of_rank(to, static_cast<int>(in.size()));
  return regridded(image, target, shape ? *shape : in.size() > 1 ? shape_and_offset(in, own_affine(image), target, false).shape : in, options, name);
}

}  // namespace vesal::transforms
