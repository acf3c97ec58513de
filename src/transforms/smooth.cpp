// GaussianSmooth and MedianSmooth (monai.transforms).
#include "transforms/smooth.h"

#include <algorithm>

#include "base/parallel.h"
#include "transforms/extents.h"
#include "transforms/padding.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

class GaussianSmooth : public ImageTransform {
 public:
  explicit GaussianSmooth(const Args& args)
      : sigma_(args.get<std::vector<double>>("sigma")),
        each_axis_(args["sigma"].is_sequence()),
        kernel_(gaussian_kernel(args.get<std::string>("approx"))) {}
  std::string type_name() const override { return "GaussianSmooth"; }
  Image transform(const Image& image) const override {
    const std::size_t rank = spatial_shape(image).size();
    std::vector<double> sigma = sigma_;
    if (!each_axis_) sigma.resize(rank, sigma_[0]);
    if (sigma.size() != rank)
      throw Error(ErrorKind::config, "sigma has " + std::to_string(sigma.size()) + " entries for " + std::to_string(rank) + " spatial axes");
    return image.with(gaussian_smooth(image.array(), sigma, kernel_));
  }

 private:
  std::vector<double> sigma_;
  bool each_axis_;
  kernels::GaussianKernel kernel_;
};

class MedianSmooth : public ImageTransform {
 public:
  explicit MedianSmooth(Value radius) : radius_(std::move(radius)) {}
  std::string type_name() const override { return "MedianSmooth"; }
  Image transform(const Image& image) const override {
    return image.with(median_smooth(image.array(), per_axis(radius_, spatial_shape(image).size(), "radius")));
  }

 private:
  Value radius_;
};

const RegisterTransform gaussian({
    .name = "GaussianSmooth",
    .summary = "Smooth with a Gaussian",
    .params = {optional("sigma", 1.0, "standard deviation in voxels, one or one per axis"),
               optional("approx", "erf", "how the kernel is made: erf, sampled or scalespace")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<GaussianSmooth>(args); },
});

const RegisterTransform median({
    .name = "MedianSmooth",
    .summary = "The median of the voxels around each",
    .params = {optional("radius", 1, "voxels on each side, one or one per axis")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<MedianSmooth>(args["radius"]); },
});

}  // namespace

kernels::GaussianKernel gaussian_kernel(const std::string& approx) {
  if (approx == "erf") return kernels::GaussianKernel::erf;
  if (approx == "sampled") return kernels::GaussianKernel::sampled;
  if (approx == "scalespace") return kernels::GaussianKernel::scalespace;
  throw Error(ErrorKind::config, "approx '" + approx + "': erf, sampled or scalespace wanted");
}

Array gaussian_smooth(const Array& voxels, const std::vector<double>& sigma, kernels::GaussianKernel kernel) {
  std::vector<kernels::AxisTable> tables;
  for (std::size_t i = 0; i < sigma.size(); ++i) tables.push_back(kernels::gaussian_table(voxels.size(static_cast<int>(i) + 1), sigma[i], kernel));
  return Resampling::separable(std::move(tables)).apply(voxels);
}

Array median_smooth(const Array& voxels, const std::vector<std::int64_t>& radius) {
  const std::size_t rank = radius.size();
  if (rank < 1 || rank > 3) throw Error(ErrorKind::unsupported, "a median wants 1 to 3 spatial axes, got " + std::to_string(rank));
  for (const std::int64_t r : radius)
    if (r < 0 || r > 32) throw Error(ErrorKind::config, "radius " + std::to_string(r) + ": 0 to 32 wanted");
  Array in = pad(voxels.to(DType::f32), radius, radius, {PadMode::Kind::edge, 0});
  Array out = Array::empty(voxels.shape(), DType::f32);
  const Array result = out;
  std::array<std::int64_t, 3> window{1, 1, 1};
  for (std::size_t i = 0; i < rank; ++i) window[3 - rank + i] = 2 * radius[i] + 1;
  for (std::size_t i = rank; i < 3; ++i) in = in.unsqueeze(1), out = out.unsqueeze(1);
  in = in.contiguous();
  const float* from = in.data<float>();
  float* to = out.data<float>();
  const std::int64_t ny = out.size(2), nz = out.size(3);
  parallel_for(out.size(0) * out.size(1) * ny, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> around(static_cast<std::size_t>(window[0] * window[1] * window[2]));
    const auto middle = around.begin() + static_cast<std::ptrdiff_t>(around.size() / 2);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t y = row % ny, x = row / ny % out.size(1), c = row / ny / out.size(1);
      for (std::int64_t z = 0; z < nz; ++z) {
        auto next = around.begin();
        for (std::int64_t i = 0; i < window[0]; ++i)
          for (std::int64_t j = 0; j < window[1]; ++j) {
            const float* line = from + ((c * in.size(1) + x + i) * in.size(2) + y + j) * in.size(3) + z;
            next = std::copy(line, line + window[2], next);
          }
        std::nth_element(around.begin(), middle, around.end());
        to[row * nz + z] = *middle;
      }
    }
  });
  return result;
}

}  // namespace vesal::transforms
