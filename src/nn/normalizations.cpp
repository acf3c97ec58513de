// Normalization layers, with PyTorch's arguments, defaults and names.
#include "nn/factory.h"

namespace vesal::nn {
namespace {

std::int64_t spatial_count(const Tensor& x) {
  std::int64_t n = 1;
  for (std::int64_t i = 2; i < x.dim(); ++i) n *= x.size(i);
  return n;
}

/// Weight 1 and bias 0 of a normalization, and the statistics it keeps.
class Norm : public Layer {
 protected:
  void affine(const Shape& shape) {
    weight_ = new_parameter("weight", shape);
    bias_ = new_parameter("bias", shape);
    const torch::NoGradGuard no_grad;
    weight_.fill_(1);
    bias_.zero_();
  }
  Tensor weight_, bias_;
};

/// BatchNorm and InstanceNorm differ in the axes they average over.
class StatisticsNorm : public Norm {
 public:
  StatisticsNorm(const Args& args, const LayerPlace& place, bool batch)
      : eps_(args.get<double>("eps")), momentum_(args.get<std::optional<double>>("momentum")), batch_(batch) {
    const auto count = args.get<std::optional<std::int64_t>>("num_features").value_or(place.channels);
    if (args.get<bool>("affine")) affine({count});
    if (!args.get<bool>("track_running_stats")) return;
    mean_ = register_buffer("running_mean", torch::zeros({count}));
    variance_ = register_buffer("running_var", torch::ones({count}));
    batches_ = register_buffer("num_batches_tracked", torch::zeros({}, torch::kLong));
  }

  Tensor forward(const Tensor& x) override {
    const bool own_statistics = is_training() || !mean_.defined();
    if (own_statistics && (batch_ ? x.size(0) * spatial_count(x) : spatial_count(x)) < 2)
      throw Error(ErrorKind::shape,
                  std::string(batch_ ? "batch" : "instance") + " normalization needs more than one value per channel, got " + to_string(shape_of(x)));
    double momentum = momentum_.value_or(0);
    if (batch_ && is_training() && batches_.defined()) {
      const torch::NoGradGuard no_grad;
      batches_.add_(1);
      if (!momentum_) momentum = 1.0 / batches_.item<double>();
    }
    if (batch_) return torch::batch_norm(x, weight_, bias_, mean_, variance_, own_statistics, momentum, eps_, true);
    return torch::instance_norm(x, weight_, bias_, mean_, variance_, own_statistics, momentum, eps_, true);
  }

 private:
  double eps_;
  std::optional<double> momentum_;
  bool batch_;
  Tensor mean_, variance_, batches_;
};

class GroupNorm : public Norm {
 public:
  GroupNorm(const Args& args, const LayerPlace& place) : groups_(args.get<std::int64_t>("num_groups")), eps_(args.get<double>("eps")) {
    const auto channels = args.get<std::optional<std::int64_t>>("num_channels").value_or(place.channels);
    if (groups_ < 1 || channels % groups_ != 0)
      throw Error(ErrorKind::config,
                  "group normalization: " + std::to_string(channels) + " channels do not divide into " + std::to_string(groups_) + " groups");
    if (args.get<bool>("affine")) affine({channels});
  }
  Tensor forward(const Tensor& x) override { return torch::group_norm(x, groups_, weight_, bias_, eps_); }

 private:
  std::int64_t groups_;
  double eps_;
};

class LayerNorm : public Norm {
 public:
  explicit LayerNorm(const Args& args) : shape_(args.get<Shape>("normalized_shape")), eps_(args.get<double>("eps")) {
    if (args.get<bool>("elementwise_affine")) affine(shape_);
  }
  Tensor forward(const Tensor& x) override { return torch::layer_norm(x, shape_, weight_, bias_, eps_); }

 private:
  Shape shape_;
  double eps_;
};

/// x / (k + alpha * mean of x^2 over `size` neighbouring channels) ^ beta.
class LocalResponseNorm : public Layer {
 public:
  explicit LocalResponseNorm(const Args& a)
      : size_(a.get<std::int64_t>("size")), alpha_(a.get<double>("alpha")), beta_(a.get<double>("beta")), k_(a.get<double>("k")) {
    if (size_ < 1) throw Error(ErrorKind::config, "local response normalization: size = " + std::to_string(size_));
  }
  Tensor forward(const Tensor& x) override {
    Tensor squares = (x * x).flatten(2).unsqueeze(1);  // [N, 1, C, voxels]
    squares = torch::constant_pad_nd(squares, {0, 0, size_ / 2, (size_ - 1) / 2});
    const Tensor mean = torch::avg_pool2d(squares, {size_, 1}, {1, 1}).squeeze(1).view(x.sizes());
    return x / (mean * alpha_ + k_).pow(beta_);
  }

 private:
  std::int64_t size_;
  double alpha_, beta_, k_;
};

std::vector<Param> statistics_params(bool affine, bool track) {
  return {optional("num_features", nullptr, "channels; those of the input by default"), optional("eps", 1e-5, "added to the variance"),
          optional("momentum", 0.1, "of the running statistics; None: their plain average"), optional("affine", affine, "learn a scale and a shift"),
          optional("track_running_stats", track, "keep running statistics for evaluation")};
}

const RegisterLayer batch(normalizations(), {"batch", "syncbatch"}, statistics_params(true, true),
                          [](const Args& a, const LayerPlace& place) { return std::make_shared<StatisticsNorm>(a, place, true); });
const RegisterLayer instance(normalizations(), {"instance", "instance_nvfuser"}, statistics_params(false, false),
                             [](const Args& a, const LayerPlace& place) { return std::make_shared<StatisticsNorm>(a, place, false); });
const RegisterLayer group(normalizations(), {"group"},
                          {required("num_groups", "groups of channels"), optional("num_channels", nullptr, "channels; those of the input by default"),
                           optional("eps", 1e-5, "added to the variance"), optional("affine", true, "learn a scale and a shift")},
                          [](const Args& a, const LayerPlace& place) { return std::make_shared<GroupNorm>(a, place); });
const RegisterLayer layer(normalizations(), {"layer"},
                          {required("normalized_shape", "the last extents"), optional("eps", 1e-5, "added to the variance"),
                           optional("elementwise_affine", true, "learn a scale and a shift")},
                          [](const Args& a, const LayerPlace&) { return std::make_shared<LayerNorm>(a); });
const RegisterLayer local_response(normalizations(), {"localresponse"},
                                   {required("size", "neighbouring channels"), optional("alpha", 1e-4, "weight of the squares"),
                                    optional("beta", 0.75, "exponent"), optional("k", 1.0, "added constant")},
                                   [](const Args& a, const LayerPlace&) { return std::make_shared<LocalResponseNorm>(a); });

}  // namespace
}  // namespace vesal::nn
