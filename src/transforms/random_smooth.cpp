// RandGaussianSmooth (monai.transforms).
#include "transforms/random_transform.h"
#include "transforms/smooth.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {
namespace {

class RandGaussianSmooth : public RandomImageTransform {
 public:
  explicit RandGaussianSmooth(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        sigma_{interval_argument(args, "sigma_x"), interval_argument(args, "sigma_y"), interval_argument(args, "sigma_z")},
        kernel_(gaussian_kernel(args.get<std::string>("approx"))) {}
  std::string type_name() const override { return "RandGaussianSmooth"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    std::vector<double> sigma;
    for (const Interval& range : sigma_) sigma.push_back(range.draw(random));
    const std::size_t rank = spatial_shape(image).size();
    if (rank > 3) throw Error(ErrorKind::unsupported, "RandGaussianSmooth wants 1 to 3 spatial axes, got " + std::to_string(rank));
    sigma.resize(rank);
    return image.with(gaussian_smooth(image.array(), sigma, kernel_));
  }

 private:
  std::array<Interval, 3> sigma_;
  kernels::GaussianKernel kernel_;
};

Param sigma(const std::string& axis) {
  return optional("sigma_" + axis, Tuple{{0.25, 1.5}}, "range of the Gaussian's width along " + axis + ", (min, max) in voxels");
}

const RegisterRandomTransform rand_gaussian_smooth({
    .name = "RandGaussianSmooth",
    .summary = "Smooth with a Gaussian of random width",
    .params = {sigma("x"), sigma("y"), sigma("z"), prob_param(), optional("approx", "erf", "how the kernel is made: erf, sampled or scalespace")},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandGaussianSmooth>(args); },
    .dict_order = {"sigma_x", "sigma_y", "sigma_z", "approx"},
});

}  // namespace
}  // namespace vesal::transforms
