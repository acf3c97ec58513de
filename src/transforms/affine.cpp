// Affine, RandAffine: rotation, shear, translation and scale about the centre in one resampling. MONAI: Affine, RandAffine.
#include "transforms/affine_ranges.h"
#include "transforms/extents.h"

namespace vesal::transforms {
namespace {

/// What both are told about the result.
struct Target {
  Value spatial_size;
  SampleOptions options;
  explicit Target(const Args& args, bool align_corners = false) : spatial_size(args["spatial_size"]), options(sample_options(args, align_corners)) {}
  Shape extents(const Shape& in) const { return spatial_size.is_none() ? in : extents_or(spatial_size, in, "spatial_size"); }
  /// `matrix` maps places on the result to places on the image, both counted from the centre.
  Image apply(const Image& image, const image::Affine& matrix, const std::string& name) const {
    const Shape in = spatial_shape(image), out = extents(in);
    return resample_by(image, about_centers(matrix, in, out), out, options, name);
  }
};

image::Affine matrix_argument(const Value& value) {
  return image::Affine::from_array(value.is_array() ? value.as_array() : [&] {
    const auto rows = cast<std::vector<std::vector<double>>>(value);
    std::vector<double> flat;
    for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    const auto n = static_cast<std::int64_t>(rows.size());
    return Array::from(std::span<const double>(flat), {n, n});
  }());
}

class Affine : public ImageTransform {
 public:
  explicit Affine(const Args& args) : target_(args, args.get<bool>("align_corners")) {
    const auto numbers = [&](const char* name) { return args.is_none(name) ? std::vector<double>() : args.get<std::vector<double>>(name); };
    parameters_ = {numbers("rotate_params"), numbers("shear_params"), numbers("translate_params"), numbers("scale_params")};
    if (!args.is_none("affine")) matrix_ = with_context("affine", [&] { return matrix_argument(args["affine"]); });
  }
  std::string type_name() const override { return "Affine"; }
  Image transform(const Image& image) const override {
    const int rank = static_cast<int>(spatial_shape(image).size());
    return target_.apply(image, matrix_ ? *matrix_ : affine_matrix(parameters_, rank), type_name());
  }

 private:
  Target target_;
  AffineParameters parameters_;
  std::optional<image::Affine> matrix_;
};

class RandAffine : public RandomImageTransform {
 public:
  explicit RandAffine(const Args& args) : RandomImageTransform(args.get<double>("prob")), target_(args), ranges_(args) {}
  std::string type_name() const override { return "RandAffine"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const int rank = static_cast<int>(spatial_shape(image).size());
    return target_.apply(image, affine_matrix(ranges_.draw(random), rank), type_name());
  }
  Image unchanged(const Image& image) const override {
    const Shape in = spatial_shape(image);
    return target_.extents(in) == in ? image.with(image.array().to(DType::f32)) : target_.apply(image, {}, type_name());
  }

 private:
  Target target_;
  AffineRanges ranges_;
};

const Param kLazy = optional("lazy", false, "accepted; resampled at once");

const RegisterTransform affine({
    .name = "Affine",
    .summary = "Rotate, shear, translate and scale about the centre",
    .params = {optional("rotate_params", Value(), "angles in radians: one in 2D, about x, y and z in 3D"),
               optional("shear_params", Value(), "factors beside the diagonal, row by row: 2 in 2D, 6 in 3D"),
               optional("translate_params", Value(), "voxels per axis"),
               optional("scale_params", Value(), "factor per axis; above 1 shows more of the image"),
               optional("affine", Value(), "the whole matrix, instead of the parameters"), result_size_param(), mode_param(), padding_mode_param(),
               optional("normalized", false, "accepted only as False"), device_param(),
               optional("dtype", DType::f32, "accepted; results are float32"),
               optional("align_corners", false, "the outermost voxel centres, not edges, are the ends of the grid"),
               optional("image_only", true, "accepted; the result is an image that carries its affine"), kLazy},
    .per_key = {"mode", "padding_mode"},
    .make = [](const Args& args) -> TransformPtr {
      if (args.get<bool>("normalized")) throw Error(ErrorKind::unsupported, "Affine: normalized");
      return std::make_shared<Affine>(args);
    },
});

const RegisterRandomTransform rand_affine({
    .name = "RandAffine",
    .summary = "Rotate, shear, translate and scale about the centre by random amounts",
    .params = AffineRanges::params({prob_param()}, {result_size_param(), mode_param(), padding_mode_param(),
                                                    optional("cache_grid", false, "accepted; no grid is ever stored"), device_param(), kLazy}),
    .per_key = {"mode", "padding_mode"},
    .make = [](const Args& args) { return std::make_shared<RandAffine>(args); },
    .dict_order = {"spatial_size"},
});

}  // namespace
}  // namespace vesal::transforms
