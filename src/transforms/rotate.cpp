// Rotate, RandRotate: by angles about the centre. MONAI: Rotate, RandRotate.
#include <cmath>

#include "transforms/affine_sampling.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

/// What both are told but for the angles.
class Rotation {
 public:
  explicit Rotation(const Args& args)
      : options_(sample_options(args.get<std::string>("mode"), args.get<std::string>("padding_mode"), args.get<bool>("align_corners"))),
        keep_size_(args.get<bool>("keep_size")) {}

  /// By one angle in 2D, by those about x, y and z in 3D.
  Image apply(const Image& image, const std::vector<double>& angles, const std::string& name) const {
    const Shape in = spatial_shape(image);
    AffineParameters parameters;
    parameters.rotate = angles;
    const image::Affine matrix = affine_matrix(parameters, static_cast<int>(in.size()));
    const Shape out = keep_size_ ? in : reach(matrix, in);
    return resample_by(image, about_centers(matrix, in, out), out, options_, name);
  }

 private:
  /// Extents of the box around the turned corners of a grid.
  static Shape reach(const image::Affine& matrix, const Shape& in) {
    Shape out;
    for (int r = 0; r < static_cast<int>(in.size()); ++r) {
      double width = 0;
      for (std::size_t c = 0; c < in.size(); ++c) width += std::fabs(matrix(r, static_cast<int>(c))) * static_cast<double>(in[c]);
      out.push_back(static_cast<std::int64_t>(width + 0.5));
    }
    return out;
  }

  SampleOptions options_;
  bool keep_size_;
};

class Rotate : public ImageTransform {
 public:
  explicit Rotate(const Args& args) : rotation_(args), angles_(args.get<std::vector<double>>("angle")), same_(!args["angle"].is_sequence()) {}
  std::string type_name() const override { return "Rotate"; }
  Image transform(const Image& image) const override {
    const std::size_t wanted = spatial_shape(image).size() == 2 ? 1 : 3;
    const std::vector<double> angles = same_ ? std::vector<double>(wanted, angles_[0]) : angles_;
    if (angles.size() != wanted)
      throw Error(ErrorKind::config, "Rotate: " + std::to_string(angles.size()) + " angles, " + std::to_string(wanted) + " wanted");
    return rotation_.apply(image, angles, type_name());
  }

 private:
  Rotation rotation_;
  std::vector<double> angles_;
  bool same_;
};

class RandRotate : public RandomImageTransform {
 public:
  explicit RandRotate(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        rotation_(args),
        ranges_{interval_argument(args, "range_x"), interval_argument(args, "range_y"), interval_argument(args, "range_z")} {}
  std::string type_name() const override { return "RandRotate"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    std::vector<double> angles;
    for (const Interval& range : ranges_) angles.push_back(range.draw(random));
    return rotation_.apply(image, angles, type_name());
  }
  Image unchanged(const Image& image) const override { return image.with(image.array().to(DType::f32)); }

 private:
  Rotation rotation_;
  std::array<Interval, 3> ranges_;
};

const Param kKeepSize = optional("keep_size", true, "keep the extents; else they grow to hold the turned image");
const Param kMode = optional("mode", "bilinear", "bilinear, or nearest for labels");
const Param kPadding = optional("padding_mode", "border", "outside of the image: zeros, border or reflection");
const Param kAlign = optional("align_corners", false, "the outermost voxel centres, not edges, are the ends of the grid");
const Param kDType = optional("dtype", DType::f32, "accepted; positions are computed in double precision, results are float32");
const Param kLazy = optional("lazy", false, "accepted; resampled at once");

const RegisterTransform rotate({
    .name = "Rotate",
    .summary = "Turn about the centre",
    .params = {required("angle", "radians: one in 2D, about x, y and z in 3D; a single number is for all three"), kKeepSize, kMode, kPadding, kAlign,
               kDType, kLazy},
    .per_key = {"mode", "padding_mode", "align_corners", "dtype"},
    .make = [](const Args& args) { return std::make_shared<Rotate>(args); },
});

const RegisterRandomTransform rand_rotate({
    .name = "RandRotate",
    .summary = "Turn about the centre by random angles",
    .params = {optional("range_x", 0.0, "radians, r for [-r, r] or (min, max); in 2D the angle"), optional("range_y", 0.0, "about y"),
               optional("range_z", 0.0, "about z"), prob_param(), kKeepSize, kMode, kPadding, kAlign, kDType, kLazy},
    .per_key = {"mode", "padding_mode", "align_corners", "dtype"},
    .make = [](const Args& args) { return std::make_shared<RandRotate>(args); },
});

}  // namespace
}  // namespace vesal::transforms
