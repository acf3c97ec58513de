// Convolution with normalization, dropout and activation; sources: MONAI's Convolution, ADN and ResidualUnit.
#pragma once
#include <optional>
#include <string>

#include "base/value.h"
#include "nn/layer.h"

namespace vesal::nn {

/// One extent per spatial axis from one number or a full list; throws Error(config) naming `what`.
Shape per_axis(const Shape& values, int spatial_dims, const std::string& what);

/// torch.nn.Conv1d/2d/3d and ConvTranspose1d/2d/3d: weight, bias, with PyTorch's first weights.
class Conv : public Layer {
 public:
  struct Options {
    int spatial_dims = 3;
    std::int64_t in_channels = 1, out_channels = 1;
    Shape kernel_size = {3}, stride = {1}, padding = {0}, dilation = {1}, output_padding = {0};
    std::int64_t groups = 1;
    bool bias = true, transposed = false;
  };
  explicit Conv(Options options);
  Tensor forward(const Tensor& x) override;
  const Options& options() const { return options_; }
  Tensor weight() const { return weight_; }
  Tensor bias() const { return bias_; }

 private:
  Options options_;
  Tensor weight_, bias_;
};

/// What follows a convolution. None leaves a part out.
struct AdnSpec {
  std::string ordering = "NDA";
  Value act = "PRELU", norm = "INSTANCE", dropout;
  int dropout_dim = 1;
};

/// Normalization "N", dropout "D" and activation "A" in the given order.
std::shared_ptr<Chain> make_adn(const AdnSpec& spec, int spatial_dims, std::int64_t channels);

struct ConvolutionSpec {
  int spatial_dims = 3;
  std::int64_t in_channels = 1, out_channels = 1;
  Shape strides = {1}, kernel_size = {3}, dilation = {1};
  AdnSpec adn = {};
  std::int64_t groups = 1;
  bool bias = true, conv_only = false, transposed = false;
  std::optional<Shape> padding = {}, output_padding = {};  ///< by default: same size at stride 1, stride times as large if transposed
};

/// "conv", then "adn" unless conv_only.
std::shared_ptr<Chain> make_convolution(const ConvolutionSpec& spec);

/// Padding that keeps the size at stride 1; throws Error(config) where there is none.
Shape same_padding(const Shape& kernel_size, const Shape& dilation);

/// `subunits` convolutions "conv.unit0".. plus the input, brought to size by the convolution "residual" where it must be.
LayerPtr make_residual_unit(ConvolutionSpec spec, int subunits, bool last_conv_only);

}  // namespace vesal::nn
