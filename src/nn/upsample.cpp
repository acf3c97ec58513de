#include "nn/upsample.h"

#include <torch/nn/init.h>

#include "nn/convolution.h"

namespace vesal::nn {
namespace {

/// Channels [C * f^d] become f times as many voxels along each of d axes (Shi et al. 2016).
Tensor shuffle_pixels(const Tensor& x, std::int64_t factor) {
  const std::int64_t dims = x.dim() - 2;
  Shape split{x.size(0), -1}, order{0, 1}, joined{x.size(0), -1};
  for (std::int64_t i = 0; i < dims; ++i) split.push_back(factor);
  for (std::int64_t i = 0; i < dims; ++i) {
    split.push_back(x.size(2 + i));
    joined.push_back(x.size(2 + i) * factor);
    order.push_back(2 + dims + i);
    order.push_back(2 + i);
  }
  split[1] = joined[1] = x.size(1) / numel_of(Shape(dims, factor));
  return x.reshape(split).permute(order).reshape(joined);
}

/// Mean of each voxel and those before it: takes the checkerboard away (Aitken et al. 2017).
Tensor smooth(const Tensor& x, std::int64_t factor) {
  const std::int64_t dims = x.dim() - 2;
  Shape padding;
  for (std::int64_t i = 0; i < dims; ++i) padding.insert(padding.end(), {factor - 1, 0});
  const Tensor padded = torch::constant_pad_nd(x, padding);
  const Shape window(dims, factor), one(dims, 1);
  if (dims == 1) return torch::avg_pool1d(padded, window, one);
  if (dims == 2) return torch::avg_pool2d(padded, window, one);
  return torch::avg_pool3d(padded, window, one);
}

class SubpixelUpsample : public Layer {
 public:
  explicit SubpixelUpsample(const UpsampleSpec& spec) : scale_(spec.scale) {
    Conv::Options options;
    options.spatial_dims = spec.spatial_dims;
    options.in_channels = spec.in_channels;
    const std::int64_t voxels = numel_of(Shape(spec.spatial_dims, scale_));
    options.out_channels = spec.out_channels * voxels;
    options.padding = {1};
    auto conv = std::make_shared<Conv>(options);
    const torch::NoGradGuard no_grad;
    Shape small = shape_of(conv->weight());
    small[0] = spec.out_channels;  // all voxels of a channel start alike
    conv->weight().copy_(torch::nn::init::kaiming_normal_(torch::empty(small)).repeat_interleave(voxels, 0));
    conv_ = register_module("conv_block", conv);
  }
  Tensor forward(const Tensor& x) override { return smooth(shuffle_pixels(conv_->forward(x), scale_), scale_); }

 private:
  std::int64_t scale_;
  LayerPtr conv_;
};

/// Called by factor, not by extents, so that a traced network takes inputs of any extents.
LayerPtr interpolation(const UpsampleSpec& spec) {
  const std::vector<double> factors(spec.spatial_dims, static_cast<double>(spec.scale));
  return std::make_shared<Lambda>([factors, align = spec.align_corners](const Tensor& x) {
    if (factors.size() == 1) return torch::upsample_linear1d(x, c10::nullopt, align, factors);
    if (factors.size() == 2) return torch::upsample_bilinear2d(x, c10::nullopt, align, factors);
    return torch::upsample_trilinear3d(x, c10::nullopt, align, factors);
  });
}

}  // namespace

LayerPtr make_upsample(const UpsampleSpec& spec) {
  auto chain = std::make_shared<Chain>();
  Conv::Options conv;
  conv.spatial_dims = spec.spatial_dims;
  conv.in_channels = spec.in_channels;
  conv.out_channels = spec.out_channels;
  if (spec.mode == "deconv" || spec.mode == "deconvgroup") {
    conv.transposed = true;
    conv.kernel_size = conv.stride = {spec.scale};
    if (spec.mode == "deconvgroup" && spec.in_channels % spec.out_channels == 0) conv.groups = spec.out_channels;
    chain->add(spec.mode, std::make_shared<Conv>(conv));
  } else if (spec.mode == "nontrainable") {
    conv.kernel_size = {1};
    if (spec.in_channels != spec.out_channels) chain->add("preconv", std::make_shared<Conv>(conv));
    chain->add("upsample_non_trainable", interpolation(spec));
  } else if (spec.mode == "pixelshuffle") {
    chain->add("pixelshuffle", std::make_shared<SubpixelUpsample>(spec));
  } else {
    throw Error(ErrorKind::config, "no upsampling '" + spec.mode + "'; there are deconv, deconvgroup, nontrainable, pixelshuffle");
  }
  return chain;
}

}  // namespace vesal::nn
