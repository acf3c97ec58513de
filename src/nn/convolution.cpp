#include "nn/convolution.h"

#include <torch/nn/init.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

#include "nn/factory.h"

namespace vesal::nn {
namespace {

std::int64_t product(const Shape& values) { return std::accumulate(values.begin(), values.end(), std::int64_t{1}, std::multiplies<>()); }

Conv::Options conv_options(const ConvolutionSpec& spec, const Shape& padding) {
  Conv::Options options{spec.spatial_dims, spec.in_channels, spec.out_channels, spec.kernel_size, spec.strides, padding, spec.dilation, {0},
                        spec.groups,       spec.bias,        spec.transposed};
  if (spec.transposed && spec.output_padding) options.output_padding = *spec.output_padding;
  if (spec.transposed && !spec.output_padding) {
    options.output_padding = spec.strides;
    for (std::int64_t& extent : options.output_padding) extent -= 1;
  }
  return options;
}

class ResidualUnit : public Layer {
 public:
  ResidualUnit(std::shared_ptr<Chain> conv, LayerPtr residual)
      : conv_(register_module("conv", std::move(conv))), residual_(register_module("residual", std::move(residual))) {}
  Tensor forward(const Tensor& x) override {
    const Tensor residual = residual_->forward(x);
    Tensor y = conv_->forward(x);
    return y.requires_grad() ? y + residual : y.add_(residual);
  }

 private:
  std::shared_ptr<Chain> conv_;
  LayerPtr residual_;
};

}  // namespace

Shape per_axis(const Shape& values, int spatial_dims, const std::string& what) {
  if (values.size() == 1) return Shape(spatial_dims, values[0]);
  if (static_cast<int>(values.size()) == spatial_dims) return values;
  throw Error(ErrorKind::config, what + " " + to_string(values) + " for " + std::to_string(spatial_dims) + " spatial dimensions");
}

Conv::Conv(Options o) : options_(std::move(o)) {
  Options& opt = options_;
  if (opt.spatial_dims < 1 || opt.spatial_dims > 3)
    throw Error(ErrorKind::config, "spatial_dims = " + std::to_string(opt.spatial_dims) + ", want 1, 2 or 3");
  if (opt.groups < 1 || opt.in_channels % opt.groups != 0 || opt.out_channels % opt.groups != 0)
    throw Error(ErrorKind::config, "convolution: " + std::to_string(opt.in_channels) + " to " + std::to_string(opt.out_channels) +
                                       " channels do not divide into " + std::to_string(opt.groups) + " groups");
  const auto spread = [&](Shape& values, const char* what, std::int64_t least) {
    values = per_axis(values, opt.spatial_dims, what);
    if (*std::min_element(values.begin(), values.end()) < least) throw Error(ErrorKind::config, std::string(what) + " " + to_string(values));
  };
  spread(opt.kernel_size, "kernel_size", 1);
  spread(opt.stride, "strides", 1);
  spread(opt.padding, "padding", 0);
  spread(opt.dilation, "dilation", 1);
  spread(opt.output_padding, "output_padding", 0);

  Shape shape{opt.transposed ? opt.in_channels : opt.out_channels, (opt.transposed ? opt.out_channels : opt.in_channels) / opt.groups};
  shape.insert(shape.end(), opt.kernel_size.begin(), opt.kernel_size.end());
  weight_ = new_parameter("weight", shape);
  torch::nn::init::kaiming_uniform_(weight_, std::sqrt(5.0));
  if (!opt.bias) return;
  bias_ = new_parameter("bias", {opt.out_channels});
  const double bound = 1 / std::sqrt(static_cast<double>(shape[1] * product(opt.kernel_size)));
  torch::nn::init::uniform_(bias_, -bound, bound);
}

Tensor Conv::forward(const Tensor& x) {
  if (x.dim() != options_.spatial_dims + 2)
    throw Error(ErrorKind::shape, "an input [N, C" +
                                      std::string(options_.spatial_dims == 1   ? ", x"
                                                  : options_.spatial_dims == 2 ? ", x, y"
                                                                               : ", x, y, z") +
                                      "] wanted, got " + to_string(shape_of(x)));
  return torch::convolution(x, weight_, bias_, options_.stride, options_.padding, options_.dilation, options_.transposed, options_.output_padding,
                            options_.groups);
}

std::shared_ptr<Chain> make_adn(const AdnSpec& spec, int spatial_dims, std::int64_t channels) {
  auto chain = std::make_shared<Chain>();
  for (char letter : spec.ordering) {
    switch (std::toupper(static_cast<unsigned char>(letter))) {
      case 'N':
        if (!spec.norm.is_none()) chain->add("N", normalizations().make(spec.norm, {spatial_dims, channels}));
        break;
      case 'D':
        if (!spec.dropout.is_none()) chain->add("D", make_dropout(spec.dropout, spec.dropout_dim));
        break;
      case 'A':
        if (!spec.act.is_none()) chain->add("A", make_activation(spec.act));
        break;
      default: throw Error(ErrorKind::config, "adn_ordering = '" + spec.ordering + "': only the letters N, D and A");
    }
  }
  return chain;
}

Shape same_padding(const Shape& kernel_size, const Shape& dilation) {
  if (kernel_size.size() != dilation.size() && kernel_size.size() != 1 && dilation.size() != 1)
    throw Error(ErrorKind::config, "kernel_size " + to_string(kernel_size) + " with dilation " + to_string(dilation));
  Shape padding(std::max(kernel_size.size(), dilation.size()));
  for (std::size_t i = 0; i < padding.size(); ++i) {
    const std::int64_t reach = (kernel_size[kernel_size.size() == 1 ? 0 : i] - 1) * dilation[dilation.size() == 1 ? 0 : i];
    if (reach % 2 != 0)
      throw Error(ErrorKind::config, "no padding keeps the size for kernel_size " + to_string(kernel_size) + " and dilation " + to_string(dilation));
    padding[i] = reach / 2;
  }
  return padding;
}

std::shared_ptr<Chain> make_convolution(const ConvolutionSpec& spec) {
  auto chain = std::make_shared<Chain>();
  const Shape padding = spec.padding ? *spec.padding : same_padding(spec.kernel_size, spec.dilation);
  chain->add("conv", std::make_shared<Conv>(conv_options(spec, padding)));
  const bool bare = spec.adn.act.is_none() && spec.adn.norm.is_none() && spec.adn.dropout.is_none();
  if (!spec.conv_only && !bare) chain->add("adn", make_adn(spec.adn, spec.spatial_dims, spec.out_channels));
  return chain;
}

LayerPtr make_residual_unit(ConvolutionSpec spec, int subunits, bool last_conv_only) {
  const Shape strides = spec.strides;
  const std::int64_t in_channels = spec.in_channels;
  if (!spec.padding) spec.padding = same_padding(spec.kernel_size, spec.dilation);
  auto conv = std::make_shared<Chain>();
  subunits = std::max(1, subunits);
  for (int i = 0; i < subunits; ++i) {
    spec.conv_only = last_conv_only && i == subunits - 1;
    conv->add("unit" + std::to_string(i), make_convolution(spec));
    spec.in_channels = spec.out_channels;
    spec.strides = {1};
  }
  LayerPtr residual = std::make_shared<Identity>();
  const bool strided = product(strides) != 1;
  if (strided || in_channels != spec.out_channels) {
    spec.in_channels = in_channels;
    spec.strides = strides;
    spec.dilation = {1};
    if (!strided) {
      spec.kernel_size = {1};
      spec.padding = Shape{0};
    }
    residual = std::make_shared<Conv>(conv_options(spec, *spec.padding));
  }
  return std::make_shared<ResidualUnit>(std::move(conv), std::move(residual));
}

}  // namespace vesal::nn
