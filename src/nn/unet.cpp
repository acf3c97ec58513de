// UNet with residual units. Sources: MONAI's UNet; Kerfoot et al., "Left-Ventricle Quantification Using Residual U-Net" (2018).
#include "base/log.h"
#include "engine/parts.h"
#include "nn/convolution.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

/// The input beside the result of an inner part: channels [input, result].
class SkipConnection : public Layer {
 public:
  explicit SkipConnection(LayerPtr submodule) : submodule_(register_module("submodule", std::move(submodule))) {}
  Tensor forward(const Tensor& x) override { return torch::cat({x, submodule_->forward(x)}, 1); }

 private:
  LayerPtr submodule_;
};

class Builder {
 public:
  explicit Builder(const Args& args)
      : dims_(args.get<int>("spatial_dims")),
        kernel_(kernel(args, "kernel_size")),
        up_kernel_(kernel(args, "up_kernel_size")),
        res_units_(args.get<int>("num_res_units")),
        bias_(args.get<bool>("bias")),
        channels_(args.get<Shape>("channels")),
        strides_(args.get<std::vector<Shape>>("strides")) {
    adn_ = {args.get<std::string>("adn_ordering"), args["act"], args["norm"], args["dropout"]};
    if (dims_ < 1 || dims_ > 3) throw Error(ErrorKind::config, "spatial_dims = " + std::to_string(dims_) + ", want 1, 2 or 3");
    if (channels_.size() < 2) throw Error(ErrorKind::config, "channels needs at least 2 entries, got " + to_string(channels_));
    if (channels_.size() > 64 || res_units_ > 64) throw Error(ErrorKind::config, "more than 64 levels or residual units");
    if (strides_.size() < channels_.size() - 1)
      throw Error(ErrorKind::config,
                  "strides has " + std::to_string(strides_.size()) + " entries, channels wants " + std::to_string(channels_.size() - 1));
    if (strides_.size() > channels_.size() - 1)
      log::warning("UNet: strides has {} more entries than are used", strides_.size() - channels_.size() + 1);
  }

  LayerPtr block(std::int64_t in, std::int64_t out, std::size_t level) const {
    const std::int64_t c = channels_[level];
    const bool lowest = level + 2 == channels_.size(), top = level == 0;
    LayerPtr inner = lowest ? down(c, channels_[level + 1], {1}) : block(c, c, level + 1);
    const std::int64_t up_in = lowest ? c + channels_[level + 1] : 2 * c;
    const LayerPtr down_layer = down(in, c, strides_[level]);
    const LayerPtr up_layer = up(up_in, out, strides_[level], top);
    return std::make_shared<Chain>(std::initializer_list<LayerPtr>{down_layer, std::make_shared<SkipConnection>(std::move(inner)), up_layer});
  }

 private:
  Shape kernel(const Args& args, const std::string& name) const {
    Shape sizes = args.get<Shape>(name);
    if (args[name].is_sequence() && static_cast<int>(sizes.size()) != dims_)
      throw Error(ErrorKind::config, name + " " + to_string(sizes) + " for " + std::to_string(dims_) + " spatial dimensions");
    return sizes;
  }
  ConvolutionSpec spec(std::int64_t in, std::int64_t out, const Shape& strides, const Shape& kernel) const {
    ConvolutionSpec s;
    s.spatial_dims = dims_;
    s.in_channels = in;
    s.out_channels = out;
    s.strides = strides;
    s.kernel_size = kernel;
    s.adn = adn_;
    s.bias = bias_;
    return s;
  }
  LayerPtr down(std::int64_t in, std::int64_t out, const Shape& strides) const {
    if (res_units_ > 0) return make_residual_unit(spec(in, out, strides, kernel_), res_units_, false);
    return make_convolution(spec(in, out, strides, kernel_));
  }
  LayerPtr up(std::int64_t in, std::int64_t out, const Shape& strides, bool top) const {
    ConvolutionSpec s = spec(in, out, strides, up_kernel_);
    s.transposed = true;
    s.conv_only = top && res_units_ == 0;
    LayerPtr conv = make_convolution(s);
    if (res_units_ == 0) return conv;
    return std::make_shared<Chain>(std::initializer_list<LayerPtr>{conv, make_residual_unit(spec(out, out, {1}, kernel_), 1, top)});
  }

  int dims_;
  Shape kernel_, up_kernel_;
  int res_units_;
  bool bias_;
  Shape channels_;
  std::vector<Shape> strides_;
  AdnSpec adn_;
};

const Register unet({
    .kind = "network",
    .name = "UNet",
    .aliases = {"Unet"},
    .summary = "U-Net with strided convolutions and optional residual units",
    .params = {required("spatial_dims", "1, 2 or 3"), required("in_channels", "channels of the input"),
               required("out_channels", "channels of the output"), required("channels", "channels per level, top first, at least 2"),
               required("strides", "strides between the levels, one less than channels"),
               optional("kernel_size", 3, "odd extent of the convolutions, one or one per axis"),
               optional("up_kernel_size", 3, "odd extent of the transposed convolutions"),
               optional("num_res_units", 0, "convolutions per residual unit; 0: plain convolutions"),
               optional("act", "PRELU", "activation, name or [name, arguments]"),
               optional("norm", "INSTANCE", "normalization, name or [name, arguments]"),
               optional("dropout", 0.0, "probability, or name and arguments"), optional("bias", true, "convolutions have a bias"),
               optional("adn_ordering", "NDA", "order of normalization, dropout, activation")},
    .make = [](const Args& args) -> Value {
      const Builder builder(args);
      auto root = std::make_shared<Chain>();
      root->add("model", builder.block(args.get<std::int64_t>("in_channels"), args.get<std::int64_t>("out_channels"), 0));
      return make_network("UNet", root);
    },
});

// Each level is a Sequential of down (0), skip connection (1) and up (2); the lowest has no numbers of its own.
const engine::RegisterParts parts("UNet", {.encoder = R"(^model\.(1\.submodule\.)*(0|conv|adn|residual)\.)",
                                           .decoder = R"(^model\.(1\.submodule\.)+2\.)",
                                           .head = R"(^model\.2\.)"});

}  // namespace
}  // namespace vesal::nn
