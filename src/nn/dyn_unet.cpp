// DynUNet. Sources: MONAI's DynUNet; Isensee et al., "Automated design of deep learning methods for biomedical image segmentation"
// (2019); Futrega et al., "Optimized U-Net for brain tumor segmentation" (2021).
#include <torch/nn/functional/upsampling.h>
#include <torch/nn/init.h>

#include <algorithm>

#include "engine/parts.h"
#include "nn/convolution.h"
#include "nn/factory.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

using Module = torch::nn::Module;

struct Style {
  int dims;
  Value norm, act, dropout;
  bool residual;
};

/// A convolution and the dropout, if there is one.
LayerPtr conv(const Style& style, std::int64_t in, std::int64_t out, const Shape& kernel, const Shape& stride, bool bias = false,
              bool transposed = false) {
  ConvolutionSpec spec;
  spec.spatial_dims = style.dims;
  spec.in_channels = in;
  spec.out_channels = out;
  spec.kernel_size = per_axis(kernel, style.dims, "kernel_size");
  spec.strides = per_axis(stride, style.dims, "strides");
  spec.adn.act = spec.adn.norm = Value();
  spec.adn.dropout = style.dropout;
  spec.bias = bias;
  spec.transposed = transposed;
  spec.padding = spec.output_padding = Shape(style.dims);
  for (int i = 0; i < style.dims; ++i) {
    const std::int64_t k = spec.kernel_size[i], s = spec.strides[i], reach = k - s + 1, padding = reach / 2;
    if (reach < 0 || (transposed && 2 * padding + s - k < 0))
      throw Error(ErrorKind::config, "no padding fits kernel_size " + to_string(spec.kernel_size) + " with strides " + to_string(spec.strides));
    (*spec.padding)[i] = padding;
    (*spec.output_padding)[i] = 2 * padding + s - k;
  }
  return make_convolution(spec);
}

/// Twice convolution, normalization and activation; with the input added before the last activation if residual.
class Block : public Layer {
 public:
  Block(const Style& style, std::int64_t in, std::int64_t out, const Shape& kernel, const Shape& stride, bool residual)
      : conv1_(register_module("conv1", conv(style, in, out, kernel, stride))),
        conv2_(register_module("conv2", conv(style, out, out, kernel, {1}))),
        act_(register_module("lrelu", make_activation(style.act))),
        norm1_(register_module("norm1", normalizations().make(style.norm, {style.dims, out}))),
        norm2_(register_module("norm2", normalizations().make(style.norm, {style.dims, out}))),
        residual_(residual) {
    const bool strided = std::any_of(stride.begin(), stride.end(), [](std::int64_t s) { return s != 1; });
    if (!residual || (in == out && !strided)) return;
    conv3_ = register_module("conv3", conv(style, in, out, {1}, stride));
    norm3_ = register_module("norm3", normalizations().make(style.norm, {style.dims, out}));
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = act_->forward(norm1_->forward(conv1_->forward(x)));
    y = norm2_->forward(conv2_->forward(y));
    if (residual_) y = y + (conv3_ ? norm3_->forward(conv3_->forward(x)) : x);
    return act_->forward(y);
  }

 private:
  LayerPtr conv1_, conv2_, act_, norm1_, norm2_, conv3_, norm3_;
  bool residual_;
};

/// Transposed convolution, the encoder's features behind it, a block.
class UpBlock : public Module {
 public:
  UpBlock(const Style& style, std::int64_t in, std::int64_t out, const Shape& kernel, const Shape& up_kernel, bool bias)
      : up_(register_module("transp_conv", conv(style, in, out, up_kernel, up_kernel, bias, true))),
        block_(register_module("conv_block", std::make_shared<Block>(style, 2 * out, out, kernel, Shape{1}, false))) {}
  Tensor forward(const Tensor& x, const Tensor& skipped) { return block_->forward(torch::cat({up_->forward(x), skipped}, 1)); }

 private:
  LayerPtr up_, block_;
};

class OutBlock : public Layer {
 public:
  OutBlock(const Style& style, std::int64_t in, std::int64_t out) : conv_(register_module("conv", conv(style, in, out, {1}, {1}, true))) {}
  Tensor forward(const Tensor& x) override { return conv_->forward(x); }

 private:
  LayerPtr conv_;
};

/// One level down and up again. Its parts have a first name in the network; checkpoints hold them under both.
class SkipLayer : public Layer {
 public:
  SkipLayer(const LayerPtr& downsample, const LayerPtr& next, const std::shared_ptr<UpBlock>& upsample, const LayerPtr& head)
      : down_(register_module("downsample", downsample)), next_(register_module("next_layer", next)), up_(register_module("upsample", upsample)) {
    if (head) head_ = register_module("super_head", head);
  }
  Tensor forward(const Tensor& x) override { return run(x, nullptr); }
  /// Puts what the supervision heads say in front of `heads`, so that the uppermost comes first.
  Tensor run(const Tensor& x, Tensors* heads) {
    const Tensor skipped = down_->forward(x);
    const auto deeper = std::dynamic_pointer_cast<SkipLayer>(next_);
    const Tensor y = up_->forward(deeper ? deeper->run(skipped, heads) : next_->forward(skipped), skipped);
    if (head_ && heads) heads->insert(heads->begin(), head_->forward(y));
    return y;
  }

 private:
  LayerPtr down_, next_, head_;
  std::shared_ptr<UpBlock> up_;
};

class DynUNet : public Layer {
 public:
  explicit DynUNet(const Args& args)
      : style_{args.get<int>("spatial_dims"), args["norm_name"], args["act_name"], args["dropout"], args.get<bool>("res_block")},
        kernels_(args.get<std::vector<Shape>>("kernel_size")),
        strides_(args.get<std::vector<Shape>>("strides")),
        supervised_(args.get<bool>("deep_supervision")) {
    const auto up_kernels = args.get<std::vector<Shape>>("upsample_kernel_size");
    const auto heads = args.get<std::int64_t>("deep_supr_num");
    check(up_kernels, heads);
    const Shape filters = filters_of(args);
    const std::int64_t out_channels = args.get<std::int64_t>("out_channels");
    const std::size_t levels = strides_.size();

    std::vector<LayerPtr> down{register_module("input_block", block(args.get<std::int64_t>("in_channels"), filters[0], 0))};
    auto downsamples = register_module("downsamples", std::make_shared<LayerList>());
    for (std::size_t i = 1; i + 1 < levels; ++i) {
      down.push_back(block(filters[i - 1], filters[i], i));
      downsamples->add(down.back());
    }
    LayerPtr layer = register_module("bottleneck", block(filters[levels - 2], filters[levels - 1], levels - 1));
    auto upsamples = register_module("upsamples", std::make_shared<Module>());
    std::vector<std::shared_ptr<UpBlock>> up(levels - 1);
    for (std::size_t i = levels - 1; i-- > 0;)
      up[i] = upsamples->register_module(
          std::to_string(levels - 2 - i),
          std::make_shared<UpBlock>(style_, filters[i + 1], filters[i], kernels_[i + 1], up_kernels[i], args.get<bool>("trans_bias")));
    output_ = register_module("output_block", std::make_shared<OutBlock>(style_, filters[0], out_channels));
    std::vector<LayerPtr> head(levels - 1);
    if (supervised_) {
      auto list = register_module("deep_supervision_heads", std::make_shared<LayerList>());
      for (std::int64_t i = 1; i <= heads; ++i) list->add(head[i] = std::make_shared<OutBlock>(style_, filters[i], out_channels));
    }
    for (std::size_t i = levels - 1; i-- > 0;) layer = std::make_shared<SkipLayer>(down[i], layer, up[i], head[i]);
    skip_layers_ = register_module("skip_layers", std::static_pointer_cast<SkipLayer>(layer));
    first_weights();
  }

  /// While training with deep supervision [N, 1 + deep_supr_num, C, spatial...]: the output, then the heads' at its size.
  Tensor forward(const Tensor& x) override {
    if (!is_training() || !supervised_) return output_->forward(skip_layers_->forward(x));
    namespace F = torch::nn::functional;
    Tensors heads;
    Tensors all{output_->forward(skip_layers_->run(x, &heads))};
    const Shape size(all[0].sizes().begin() + 2, all[0].sizes().end());
    for (const Tensor& head : heads) all.push_back(F::interpolate(head, F::InterpolateFuncOptions().size(size).mode(torch::kNearest)));
    return torch::stack(all, 1);
  }

 private:
  void check(const std::vector<Shape>& up_kernels, std::int64_t heads) const {
    if (style_.dims < 1 || style_.dims > 3) throw Error(ErrorKind::config, "spatial_dims = " + std::to_string(style_.dims) + ", want 2 or 3");
    if (kernels_.size() != strides_.size() || kernels_.size() < 3 || kernels_.size() > 64)
      throw Error(ErrorKind::config, "kernel_size has " + std::to_string(kernels_.size()) + " entries, strides " + std::to_string(strides_.size()) +
                                         "; they need as many, 3 to 64");
    if (up_kernels.size() + 1 != strides_.size())
      throw Error(ErrorKind::config, "upsample_kernel_size has " + std::to_string(up_kernels.size()) +
                                         " entries, want one less than strides: " + std::to_string(strides_.size() - 1));
    if (supervised_ && (heads < 1 || heads + 1 >= static_cast<std::int64_t>(strides_.size())))
      throw Error(ErrorKind::config, "deep_supr_num = " + std::to_string(heads) + ", want 1.." + std::to_string(strides_.size() - 2));
  }
  Shape filters_of(const Args& args) const {
    Shape filters;
    if (args.is_none("filters"))
      for (std::size_t i = 0; i < strides_.size(); ++i)
        filters.push_back(std::min<std::int64_t>(i < 10 ? 32 << i : 512, style_.dims == 3 ? 320 : 512));
    else filters = args.get<Shape>("filters");
    if (filters.size() < strides_.size())
      throw Error(ErrorKind::config, "filters has " + std::to_string(filters.size()) + " entries, strides " + std::to_string(strides_.size()));
    return filters;
  }
  LayerPtr block(std::int64_t in, std::int64_t out, std::size_t level) const {
    return std::make_shared<Block>(style_, in, out, kernels_[level], strides_[level], style_.residual);
  }
  void first_weights() {
    const torch::NoGradGuard no_grad;
    for (const auto& module : modules(false)) {
      const auto* layer = module->as<Conv>();
      if (!layer || style_.dims == 1) continue;
      torch::nn::init::kaiming_normal_(layer->weight(), 0.01);
      if (layer->bias().defined()) layer->bias().zero_();
    }
  }

  Style style_;
  std::vector<Shape> kernels_, strides_;
  bool supervised_;
  LayerPtr output_;
  std::shared_ptr<SkipLayer> skip_layers_;
};

const Register dyn_unet({
    .kind = "network",
    .name = "DynUNet",
    .aliases = {"DynUnet", "Dynunet"},
    .summary = "U-Net of nnU-Net: kernels and strides per level, residual blocks, deep supervision",
    .params = {required("spatial_dims", "2 or 3"), required("in_channels", "channels of the input"),
               required("out_channels", "channels of the output"),
               required("kernel_size", "extent of the convolutions per level, one or one per axis"),
               required("strides", "strides per level, at least 3"),
               required("upsample_kernel_size", "extent and stride of the transposed convolutions, as strides without its first"),
               optional("filters", nullptr, "channels per level; 32 doubling up to 320 (3D) or 512 by default"),
               optional("dropout", nullptr, "probability, or name and arguments"),
               optional("norm_name", Tuple{{Value("INSTANCE"), Value(Dict{{"affine", true}})}}, "normalization, name or [name, arguments]"),
               optional("act_name", Tuple{{Value("leakyrelu"), Value(Dict{{"inplace", true}, {"negative_slope", 0.01}})}},
                        "activation, name or [name, arguments]"),
               optional("deep_supervision", false, "while training also give the outputs of lower levels"),
               optional("deep_supr_num", 1, "how many of them"), optional("res_block", false, "blocks with a residual connection"),
               optional("trans_bias", false, "transposed convolutions have a bias")},
    .make = [](const Args& args) -> Value { return make_network("DynUNet", std::make_shared<DynUNet>(args)); },
});

// Parameters go by their first names; the same ones inside skip_layers follow them.
const engine::RegisterParts parts("DynUNet", {.encoder = R"(^(input_block|downsamples|bottleneck)\.)",
                                              .decoder = R"(^upsamples\.)",
                                              .head = R"(^(output_block|deep_supervision_heads)\.)"});

}  // namespace
}  // namespace vesal::nn
