#include "transforms/affine_sampling.h"

#include <cmath>

namespace vesal::transforms {
namespace {

using image::Affine;

/// Rotation by `angle` that takes axis a towards axis b.
Affine turn(int a, int b, double angle) {
  Affine m;
  m(a, a) = m(b, b) = std::cos(angle);
  m(a, b) = -std::sin(angle);
  m(b, a) = std::sin(angle);
  return m;
}

class AffineStep : public Step {
 public:
  AffineStep(std::string name, const Image& before, const Affine& voxel_map, Shape out, SampleOptions options)
      : Step(std::move(name), before.affine, spatial_shape(before), std::move(out)), inverse_(image::inverse(voxel_map)), options_(options) {}

 protected:
  image::VoxelSourcePtr back(image::VoxelSourcePtr voxels, bool nearest) const override {
    SampleOptions options = options_;
    if (nearest) options.interpolation = kernels::Interpolation::nearest, options.align_corners = false;
    return Resampling::affine(inverse_, output_shape(), input_shape(), options).apply(std::move(voxels));
  }

 private:
  Affine inverse_;
  SampleOptions options_;
};

}  // namespace

Affine affine_matrix(const AffineParameters& p, int rank) {
  if (rank != 2 && rank != 3)
    throw Error(ErrorKind::unsupported, "an affine map of an image with " + std::to_string(rank) + " spatial axes; 2 or 3 wanted");
  Affine m;
  if (rank == 2) {
    if (!p.rotate.empty()) m = turn(0, 1, p.rotate[0]);
  } else {
    if (p.rotate.size() > 0) m = turn(1, 2, p.rotate[0]);
    if (p.rotate.size() > 1) m = m * turn(2, 0, p.rotate[1]);
    if (p.rotate.size() > 2) m = m * turn(0, 1, p.rotate[2]);
  }
  Affine shear, shift, scale;
  std::size_t next = 0;
  for (int r = 0; r < rank; ++r)
    for (int c = 0; c < rank; ++c)
      if (r != c && next < p.shear.size()) shear(r, c) = p.shear[next++];
  for (int i = 0; i < rank; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (k < p.translate.size()) shift(i, 3) = p.translate[k];
    if (k < p.scale.size()) scale(i, i) = p.scale[k];
  }
  return m * shear * shift * scale;
}

Affine about_centers(const Affine& matrix, const Shape& in, const Shape& out) {
  Affine to_input, from_output;
  for (std::size_t i = 0; i < in.size(); ++i) {
    to_input(static_cast<int>(i), 3) = static_cast<double>(in[i] - 1) / 2;
    from_output(static_cast<int>(i), 3) = -static_cast<double>(out[i] - 1) / 2;
  }
  return to_input * matrix * from_output;
}

Image resample_by(const Image& image, const Affine& voxel_map, const Shape& out, const SampleOptions& options, const std::string& name) {
  Image result = image.with(Resampling::affine(voxel_map, spatial_shape(image), out, options).apply(image.array()));
  result.affine = image.affine * voxel_map;
  result.trail.push_back(std::make_shared<AffineStep>(name, image, voxel_map, out, options));
  return result;
}

}  // namespace vesal::transforms
