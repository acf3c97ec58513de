// Activation layers, with PyTorch's arguments and defaults.
#include <torch/nn/functional/activation.h>

#include "nn/factory.h"

namespace vesal::nn {
namespace {

namespace F = torch::nn::functional;

const Param kInplace = optional("inplace", false, "overwrite the input");

/// An activation without parameters; in place only where no gradient needs the input.
template <class Plain, class Inplace>
LayerPtr pointwise(const Args& args, Plain plain, Inplace inplace) {
  if (!args.get<bool>("inplace")) return std::make_shared<Lambda>([plain](const Tensor& x) { return plain(x); });
  return std::make_shared<Lambda>([inplace](const Tensor& x) {
    Tensor y = x;
    return inplace(y);
  });
}
LayerPtr pointwise(std::function<Tensor(const Tensor&)> body) { return std::make_shared<Lambda>(std::move(body)); }

/// PyTorch's PReLU: one slope, or one per channel.
class PReLU : public Layer {
 public:
  PReLU(std::int64_t count, double init) : weight_(new_parameter("weight", {count})) { torch::NoGradGuard(), weight_.data().fill_(init); }
  Tensor forward(const Tensor& x) override { return torch::prelu(x, weight_); }

 private:
  Tensor weight_;
};

const RegisterLayer relu(activations(), {"relu"}, {kInplace}, [](const Args& a, const LayerPlace&) {
  return pointwise(
      a, [](const Tensor& x) { return torch::relu(x); }, [](Tensor& x) { return torch::relu_(x); });
});
const RegisterLayer leaky(activations(), {"leakyrelu"}, {optional("negative_slope", 0.01, "slope below 0"), kInplace},
                          [](const Args& a, const LayerPlace&) {
                            const double slope = a.get<double>("negative_slope");
                            return pointwise(
                                a, [slope](const Tensor& x) { return torch::leaky_relu(x, slope); },
                                [slope](Tensor& x) { return torch::leaky_relu_(x, slope); });
                          });
const RegisterLayer prelu(activations(), {"prelu"},
                          {optional("num_parameters", 1, "1, or the number of channels"), optional("init", 0.25, "first slope")},
                          [](const Args& a, const LayerPlace&) {
                            return std::make_shared<PReLU>(a.get<std::int64_t>("num_parameters"), a.get<double>("init"));
                          });
const RegisterLayer relu6(activations(), {"relu6"}, {kInplace}, [](const Args& a, const LayerPlace&) {
  return pointwise(
      a, [](const Tensor& x) { return torch::clamp(x, 0, 6); }, [](Tensor& x) { return torch::clamp_(x, 0, 6); });
});
const RegisterLayer elu(activations(), {"elu"}, {optional("alpha", 1.0, "limit below 0"), kInplace}, [](const Args& a, const LayerPlace&) {
  const double alpha = a.get<double>("alpha");
  return pointwise(
      a, [alpha](const Tensor& x) { return torch::elu(x, alpha); }, [alpha](Tensor& x) { return torch::elu_(x, alpha); });
});
const RegisterLayer celu(activations(), {"celu"}, {optional("alpha", 1.0, "limit below 0"), kInplace}, [](const Args& a, const LayerPlace&) {
  const double alpha = a.get<double>("alpha");
  return pointwise(
      a, [alpha](const Tensor& x) { return torch::celu(x, alpha); }, [alpha](Tensor& x) { return torch::celu_(x, alpha); });
});
const RegisterLayer selu(activations(), {"selu"}, {kInplace}, [](const Args& a, const LayerPlace&) {
  return pointwise(
      a, [](const Tensor& x) { return torch::selu(x); }, [](Tensor& x) { return torch::selu_(x); });
});
const RegisterLayer mish(activations(), {"mish"}, {kInplace}, [](const Args& a, const LayerPlace&) {
  return pointwise(
      a, [](const Tensor& x) { return torch::mish(x); }, [](Tensor& x) { return torch::mish_(x); });
});
const RegisterLayer memswish(activations(), {"memswish"}, {kInplace}, [](const Args& a, const LayerPlace&) {
  return pointwise(
      a, [](const Tensor& x) { return torch::silu(x); }, [](Tensor& x) { return torch::silu_(x); });
});
const RegisterLayer swish(activations(), {"swish"}, {optional("alpha", 1.0, "steepness")}, [](const Args& a, const LayerPlace&) {
  const double alpha = a.get<double>("alpha");
  return pointwise([alpha](const Tensor& x) { return x * torch::sigmoid(alpha * x); });
});
const RegisterLayer gelu(activations(), {"gelu"}, {optional("approximate", "none", "none or tanh")}, [](const Args& a, const LayerPlace&) {
  const auto kind = a.get<std::string>("approximate");
  if (kind != "none" && kind != "tanh") throw Error(ErrorKind::config, "gelu: approximate = '" + kind + "', want none or tanh");
  return pointwise([kind](const Tensor& x) { return torch::gelu(x, kind); });
});
const RegisterLayer geglu(activations(), {"geglu"}, {}, [](const Args&, const LayerPlace&) {
  return pointwise([](const Tensor& x) {
    const auto halves = x.chunk(2, -1);
    return halves[0] * torch::gelu(halves.at(1));
  });
});
const RegisterLayer sigmoid(activations(), {"sigmoid"}, {},
                            [](const Args&, const LayerPlace&) { return pointwise([](const Tensor& x) { return torch::sigmoid(x); }); });
const RegisterLayer tanh(activations(), {"tanh"}, {},
                         [](const Args&, const LayerPlace&) { return pointwise([](const Tensor& x) { return torch::tanh(x); }); });

/// PyTorch's choice when no axis is given: 0 for tensors of 0, 1 or 3 axes, else 1.
std::int64_t softmax_axis(const std::optional<std::int64_t>& given, const Tensor& x) {
  if (given) return *given;
  return x.dim() == 0 || x.dim() == 1 || x.dim() == 3 ? 0 : 1;
}
const RegisterLayer softmax(activations(), {"softmax"}, {optional("dim", nullptr, "axis")}, [](const Args& a, const LayerPlace&) {
  const auto dim = a.get<std::optional<std::int64_t>>("dim");
  return pointwise([dim](const Tensor& x) { return torch::softmax(x, softmax_axis(dim, x)); });
});
const RegisterLayer log_softmax(activations(), {"logsoftmax"}, {optional("dim", nullptr, "axis")}, [](const Args& a, const LayerPlace&) {
  const auto dim = a.get<std::optional<std::int64_t>>("dim");
  return pointwise([dim](const Tensor& x) { return torch::log_softmax(x, softmax_axis(dim, x)); });
});

}  // namespace
}  // namespace vesal::nn
