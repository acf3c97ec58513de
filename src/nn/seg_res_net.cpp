// SegResNet. Sources: MONAI's SegResNet; Myronenko, "3D MRI brain tumor segmentation using autoencoder regularization" (2018).
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "engine/parts.h"
#include "nn/convolution.h"
#include "nn/factory.h"
#include "nn/network.h"
#include "nn/upsample.h"

namespace vesal::nn {
namespace {

/// A convolution without bias that keeps the size at stride 1.
LayerPtr conv(int dims, std::int64_t in, std::int64_t out, std::int64_t kernel = 3, std::int64_t stride = 1, bool bias = false) {
  ConvolutionSpec spec;
  spec.spatial_dims = dims;
  spec.in_channels = in;
  spec.out_channels = out;
  spec.kernel_size = {kernel};
  spec.strides = {stride};
  spec.bias = bias;
  spec.conv_only = true;
  return make_convolution(spec);
}

/// x + conv(act(norm(conv(act(norm(x))))))
class ResBlock : public Layer {
 public:
  ResBlock(int dims, std::int64_t channels, const Value& norm, const Value& act)
      : norm1_(register_module("norm1", normalizations().make(norm, {dims, channels}))),
        norm2_(register_module("norm2", normalizations().make(norm, {dims, channels}))),
        act_(register_module("act", make_activation(act))),
        conv1_(register_module("conv1", conv(dims, channels, channels))),
        conv2_(register_module("conv2", conv(dims, channels, channels))) {}
  Tensor forward(const Tensor& x) override {
    const Tensor y = conv1_->forward(act_->forward(norm1_->forward(x)));
    return conv2_->forward(act_->forward(norm2_->forward(y))) + x;
  }

 private:
  LayerPtr norm1_, norm2_, act_, conv1_, conv2_;
};

class SegResNet : public Layer {
 public:
  explicit SegResNet(const Args& args)
      : dims_(args.get<int>("spatial_dims")),
        filters_(args.get<std::int64_t>("init_filters")),
        act_(args["act"]),
        norm_(norm_of(args)),
        mode_(args.get<std::string>("upsample_mode")),
        use_final_(args.get<bool>("use_conv_final")) {
    const Shape down = args.get<Shape>("blocks_down"), up = args.get<Shape>("blocks_up");
    check(down, up);
    const LayerPtr act_mod = register_module("act_mod", make_activation(act_));
    first_ = register_module("convInit", conv(dims_, args.get<std::int64_t>("in_channels"), filters_));
    down_layers_ = register_module("down_layers", std::make_shared<LayerList>());
    up_layers_ = register_module("up_layers", std::make_shared<LayerList>());
    up_samples_ = register_module("up_samples", std::make_shared<LayerList>());
    for (std::size_t i = 0; i < down.size(); ++i) {
      const std::int64_t channels = filters_ << i;
      LayerPtr before = std::make_shared<Identity>();
      if (i > 0) before = conv(dims_, channels / 2, channels, 3, 2);
      down_layers_->add(blocks(before, channels, down[i]));
    }
    for (std::size_t i = 0; i < up.size(); ++i) {
      const std::int64_t channels = filters_ << (up.size() - i - 1);
      up_layers_->add(blocks(nullptr, channels, up[i]));
      up_samples_->add(std::make_shared<Chain>(std::initializer_list<LayerPtr>{
          conv(dims_, 2 * channels, channels, 1),
          make_upsample({.spatial_dims = dims_, .in_channels = channels, .out_channels = channels, .mode = mode_, .align_corners = false})}));
    }
    auto final = std::make_shared<Chain>();
    final->add(normalizations().make(norm_, {dims_, filters_})).add(act_mod);
    final->add(conv(dims_, filters_, args.get<std::int64_t>("out_channels"), 1, 1, true));
    final_ = register_module("conv_final", final);
    if (args.is_none("dropout_prob")) return;
    dropout_ = register_module("dropout", make_dropout(args.get<double>("dropout_prob"), dims_));
  }

  Tensor forward(const Tensor& x) override {
    Tensor y = first_->forward(x);
    if (dropout_) y = dropout_->forward(y);
    Tensors skipped;
    for (const LayerPtr& layer : down_layers_->layers()) skipped.push_back(y = layer->forward(y));
    for (std::size_t i = 0; i < up_layers_->layers().size(); ++i) {
      skipped.pop_back();
      y = up_layers_->layers()[i]->forward(up_samples_->layers()[i]->forward(y) + skipped.back());
    }
    return use_final_ ? final_->forward(y) : y;
  }

 private:
  static Value norm_of(const Args& args) {
    const std::string name = lower(args.get<std::string>("norm_name"));
    if (name.empty()) return args["norm"];
    if (name != "group") throw Error(ErrorKind::config, "norm_name = '" + name + "' is no longer taken; use norm");
    return Tuple{{Value(name), Value(Dict{{"num_groups", args["num_groups"]}})}};
  }
  void check(const Shape& down, const Shape& up) const {
    if (dims_ != 2 && dims_ != 3) throw Error(ErrorKind::config, "spatial_dims = " + std::to_string(dims_) + ", want 2 or 3");
    if (down.size() != up.size() + 1 || down.size() > 16)
      throw Error(ErrorKind::config, "blocks_down " + to_string(down) + " needs one entry more than blocks_up " + to_string(up) + ", 16 at most");
    for (const Shape* counts : {&down, &up})
      if (std::any_of(counts->begin(), counts->end(), [](std::int64_t n) { return n < 0 || n > 256; }))
        throw Error(ErrorKind::config, "blocks per level " + to_string(*counts) + ", want 0..256");
    if (filters_ < 1 || filters_ > 65536) throw Error(ErrorKind::config, "init_filters = " + std::to_string(filters_));
  }
  LayerPtr blocks(const LayerPtr& before, std::int64_t channels, std::int64_t count) const {
    auto chain = std::make_shared<Chain>();
    if (before) chain->add(before);
    for (std::int64_t i = 0; i < count; ++i) chain->add(std::make_shared<ResBlock>(dims_, channels, norm_, act_));
    return chain;
  }

  int dims_;
  std::int64_t filters_;
  Value act_, norm_;
  std::string mode_;
  bool use_final_;
  LayerPtr first_, final_, dropout_;
  std::shared_ptr<LayerList> down_layers_, up_layers_, up_samples_;
};

const Register seg_res_net({
    .kind = "network",
    .name = "SegResNet",
    .summary = "Residual encoder and a light decoder",
    .params = {optional("spatial_dims", 3, "2 or 3"), optional("init_filters", 8, "channels of the first level, doubled at each further one"),
               optional("in_channels", 1, "channels of the input"), optional("out_channels", 2, "channels of the output"),
               optional("dropout_prob", nullptr, "of the dropout behind the first convolution"),
               optional("act", Tuple{{Value("RELU"), Value(Dict{{"inplace", true}})}}, "activation, name or [name, arguments]"),
               optional("norm", Tuple{{Value("GROUP"), Value(Dict{{"num_groups", 8}})}}, "normalization, name or [name, arguments]"),
               optional("norm_name", "", "old form of norm: group"), optional("num_groups", 8, "with norm_name"),
               optional("use_conv_final", true, "finish with a convolution to out_channels"),
               optional("blocks_down", Tuple{{Value(1), Value(2), Value(2), Value(4)}}, "residual blocks per level of the encoder"),
               optional("blocks_up", Tuple{{Value(1), Value(1), Value(1)}}, "residual blocks per level of the decoder, one less"),
               optional("upsample_mode", "nontrainable", "deconv, nontrainable or pixelshuffle")},
    .make = [](const Args& args) -> Value { return make_network("SegResNet", std::make_shared<SegResNet>(args)); },
});

const engine::RegisterParts parts("SegResNet", {.encoder = R"(^(convInit|down_layers)\.)",
                                                .decoder = R"(^up_(layers|samples)\.)",
                                                .head = R"(^(conv_final|act_mod)\.)"});

}  // namespace
}  // namespace vesal::nn
