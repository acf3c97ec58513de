// BasicUNet. Sources: MONAI's BasicUNet; Falk et al., "U-Net: deep learning for cell counting, detection, and morphometry" (2019).
#include "engine/parts.h"
#include "nn/convolution.h"
#include "nn/factory.h"
#include "nn/network.h"
#include "nn/upsample.h"

namespace vesal::nn {
namespace {

struct Style {
  int dims;
  AdnSpec adn;
  bool bias;
  std::string upsample;
};

LayerPtr two_convolutions(const Style& style, std::int64_t in, std::int64_t out) {
  ConvolutionSpec spec;
  spec.spatial_dims = style.dims;
  spec.in_channels = in;
  spec.out_channels = out;
  spec.adn = style.adn;
  spec.bias = style.bias;
  auto chain = std::make_shared<Chain>();
  chain->add("conv_0", make_convolution(spec));
  spec.in_channels = out;
  chain->add("conv_1", make_convolution(spec));
  return chain;
}

LayerPtr down(const Style& style, std::int64_t in, std::int64_t out) {
  auto chain = std::make_shared<Chain>();
  chain->add("max_pooling", pools().make(Tuple{{Value("max"), Value(Dict{{"kernel_size", 2}})}}, {style.dims, in}));
  chain->add("convs", two_convolutions(style, in, out));
  return chain;
}

/// Repeats the last voxel along each axis where `x` lacks one: pooling dropped the last of an odd number.
Tensor pad_like(const Tensor& x, const Tensor& wanted) {
  const std::int64_t dims = x.dim() - 2;
  Shape padding(2 * dims, 0);
  for (std::int64_t i = 0; i < dims; ++i) padding[2 * i + 1] = x.size(-i - 1) != wanted.size(-i - 1);
  if (padding == Shape(2 * dims, 0)) return x;
  if (dims == 1) return torch::replication_pad1d(x, padding);
  if (dims == 2) return torch::replication_pad2d(x, padding);
  return torch::replication_pad3d(x, padding);
}

/// Upsampling, the encoder's features in front, two convolutions.
class UpCat : public torch::nn::Module {
 public:
  UpCat(const Style& style, std::int64_t in, std::int64_t skipped, std::int64_t out, bool halves)
      : upsample_(register_module(
            "upsample",
            make_upsample({.spatial_dims = style.dims, .in_channels = in, .out_channels = halves ? in / 2 : in, .mode = style.upsample}))),
        convs_(register_module("convs", two_convolutions(style, skipped + (halves ? in / 2 : in), out))) {}
  Tensor forward(const Tensor& x, const Tensor& skipped) {
    return convs_->forward(torch::cat({skipped, pad_like(upsample_->forward(x), skipped)}, 1));
  }

 private:
  LayerPtr upsample_, convs_;
};

class BasicUNet : public Layer {
 public:
  explicit BasicUNet(const Args& args) {
    Style style{args.get<int>("spatial_dims"), {}, args.get<bool>("bias"), args.get<std::string>("upsample")};
    style.adn.act = args["act"];
    style.adn.norm = args["norm"];
    style.adn.dropout = args["dropout"];
    const Shape features = args.get<Shape>("features");
    if (features.size() != 6) throw Error(ErrorKind::config, "features needs 6 entries, got " + to_string(features));
    first_ = register_module("conv_0", two_convolutions(style, args.get<std::int64_t>("in_channels"), features[0]));
    for (int i = 0; i < 4; ++i) down_[i] = register_module("down_" + std::to_string(i + 1), down(style, features[i], features[i + 1]));
    for (int i = 3; i >= 0; --i)
      up_[i] = register_module("upcat_" + std::to_string(i + 1),
                               std::make_shared<UpCat>(style, features[i + 1], features[i], features[i == 0 ? 5 : i], i > 0));
    Conv::Options last;
    last.spatial_dims = style.dims;
    last.in_channels = features[5];
    last.out_channels = args.get<std::int64_t>("out_channels");
    last.kernel_size = {1};
    last_ = register_module("final_conv", std::make_shared<Conv>(last));
  }

  Tensor forward(const Tensor& x) override {
    Tensors encoded{first_->forward(x)};
    for (const LayerPtr& layer : down_) encoded.push_back(layer->forward(encoded.back()));
    Tensor y = encoded[4];
    for (int i = 3; i >= 0; --i) y = up_[i]->forward(y, encoded[i]);
    return last_->forward(y);
  }

 private:
  LayerPtr first_, down_[4], last_;
  std::shared_ptr<UpCat> up_[4];
};

Value features() { return Tuple{{Value(32), Value(32), Value(64), Value(128), Value(256), Value(32)}}; }

const Register basic_unet({
    .kind = "network",
    .name = "BasicUNet",
    .aliases = {"BasicUnet", "Basicunet", "basicunet"},
    .summary = "U-Net of five levels with max pooling and two convolutions per level",
    .params = {optional("spatial_dims", 3, "1, 2 or 3"), optional("in_channels", 1, "channels of the input"),
               optional("out_channels", 2, "channels of the output"),
               optional("features", features(), "channels of the five levels and of the last upsampling"),
               optional("act", Tuple{{Value("LeakyReLU"), Value(Dict{{"negative_slope", 0.1}, {"inplace", true}})}},
                        "activation, name or [name, arguments]"),
               optional("norm", Tuple{{Value("instance"), Value(Dict{{"affine", true}})}}, "normalization, name or [name, arguments]"),
               optional("bias", true, "convolutions have a bias"), optional("dropout", 0.0, "probability, or name and arguments"),
               optional("upsample", "deconv", "deconv, pixelshuffle or nontrainable")},
    .make = [](const Args& args) -> Value { return make_network("BasicUNet", std::make_shared<BasicUNet>(args)); },
});

const engine::RegisterParts parts("BasicUNet", {.encoder = R"(^(conv_0|down_\d+)\.)", .decoder = R"(^upcat_\d+\.)", .head = R"(^final_conv\.)"});

}  // namespace
}  // namespace vesal::nn
