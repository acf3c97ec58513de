// Adam, AdamW, SGD (torch.optim) and Novograd (monai.optimizers).
#include <cmath>

#include "train/optimizer.h"

namespace vesal::train {
namespace {

using torch::Tensor;

/// Kingma and Ba, ICLR 2015; with `decoupled` weight decay, Loshchilov and Hutter, ICLR 2019.
class Adam : public Optimizer {
 public:
  Adam(const std::string& name, const Value& params, const Dict& settings, bool decoupled)
      : Optimizer(name, params, settings), decoupled_(decoupled) {}

 protected:
  void update(Tensor& p, const Tensor& gradient, Memory& memory, const Group& group) override {
    const auto& betas = group.settings.as_dict().at("betas").items();
    const double lr = group.setting("lr"), decay = group.setting("weight_decay"), beta1 = betas[0].as_float(), beta2 = betas[1].as_float();
    Tensor g = group.flag("maximize") ? -gradient : gradient;
    if (decay != 0 && decoupled_) p.mul_(1 - lr * decay);
    else if (decay != 0) g = g.add(p, decay);
    Tensor& mean = memory.buffer("exp_avg", p).mul_(beta1).add_(g, 1 - beta1);
    Tensor& square = memory.buffer("exp_avg_sq", p).mul_(beta2).addcmul_(g, g, 1 - beta2);
    const double correction1 = 1 - std::pow(beta1, memory.step), correction2 = 1 - std::pow(beta2, memory.step);
    Tensor spread = square;
    if (group.flag("amsgrad")) {
      Tensor& largest = memory.buffer("max_exp_avg_sq", p);
      spread = torch::maximum_out(largest, largest, square);
    }
    p.addcdiv_(mean, (spread.sqrt() / std::sqrt(correction2)).add_(group.setting("eps")), -lr / correction1);
  }

 private:
  bool decoupled_;
};

/// Gradient descent with momentum, Nesterov's if wanted.
class Sgd : public Optimizer {
 public:
  using Optimizer::Optimizer;

 protected:
  void update(Tensor& p, const Tensor& gradient, Memory& memory, const Group& group) override {
    const double momentum = group.setting("momentum"), decay = group.setting("weight_decay");
    Tensor g = group.flag("maximize") ? -gradient : gradient;
    if (decay != 0) g = g.add(p, decay);
    if (momentum != 0) {
      const bool first = !memory.buffers.contains("momentum_buffer");
      Tensor& buffer = memory.buffer("momentum_buffer", p);
      if (first) buffer.copy_(g);
      else buffer.mul_(momentum).add_(g, 1 - group.setting("dampening"));
      g = group.flag("nesterov") ? g.add(buffer, momentum) : buffer;
    }
    p.add_(g, -group.setting("lr"));
  }
};

/// Ginsburg et al., "Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks" (2019).
class Novograd : public Optimizer {
 public:
  using Optimizer::Optimizer;

 protected:
  void update(Tensor& p, const Tensor& gradient, Memory& memory, const Group& group) override {
    const auto& betas = group.settings.as_dict().at("betas").items();
    const double decay = group.setting("weight_decay"), beta1 = betas[0].as_float(), beta2 = betas[1].as_float();
    const Tensor norm = gradient.square().sum();
    Tensor& square = memory.buffer("exp_avg_sq", norm);
    if (square.item<double>() == 0) square.copy_(norm);
    else square.mul_(beta2).add_(norm, 1 - beta2);
    Tensor spread = square;
    if (group.flag("amsgrad")) {
      Tensor& largest = memory.buffer("max_exp_avg_sq", norm);
      spread = torch::maximum_out(largest, largest, square);
    }
    Tensor g = gradient / spread.sqrt().add_(group.setting("eps"));
    if (decay != 0) g.add_(p, decay);
    if (group.flag("grad_averaging")) g.mul_(1 - beta1);
    p.add_(memory.buffer("exp_avg", p).mul_(beta1).add_(g), -group.setting("lr"));
  }
};

const Param kParams = required("params", "parameters of a network, or a list of {params, lr, ...}");
const Param kForeach = optional("foreach", nullptr, "accepted; parameters are taken one by one");
const Param kCapturable = optional("capturable", false, "accepted; for CUDA graphs only");
const Param kFused = optional("fused", nullptr, "accepted; parameters are taken one by one");
const Param kDifferentiable = optional("differentiable", false, "accepted; steps are not differentiated");
const Param kMaximize = optional("maximize", false, "go up instead of down");

Value betas(double first, double second) { return Tuple{{Value(first), Value(second)}}; }

Component adam(const std::string& name, const std::string& module, double decay, bool decoupled) {
  return {
      .kind = "optimizer",
      .name = "torch.optim." + name,
      .aliases = {"torch.optim." + module + "." + name},
      .summary = decoupled ? "Adam with decoupled weight decay" : "Adaptive moments",
      .params = {kParams, optional("lr", 1e-3, "learning rate"), optional("betas", betas(0.9, 0.999), "decay of the two moments"),
                 optional("eps", 1e-8, "added to the denominator"), optional("weight_decay", decay, "pull towards zero"),
                 optional("amsgrad", false, "divide by the largest second moment so far"), kForeach, kMaximize, kCapturable, kDifferentiable, kFused},
      .make = [name, decoupled](const Args& args) -> Value {
        const Dict settings = settings_of(args);
        check_settings(settings, {"lr", "eps", "weight_decay"});
        return std::make_shared<Adam>(name, args["params"], settings, decoupled);
      }};
}
const Register adam_plain(adam("Adam", "adam", 0.0, false));
const Register adam_decoupled(adam("AdamW", "adamw", 1e-2, true));

const Register sgd({.kind = "optimizer",
                    .name = "torch.optim.SGD",
                    .aliases = {"torch.optim.sgd.SGD"},
                    .summary = "Stochastic gradient descent with momentum",
                    .params = {kParams, optional("lr", 1e-3, "learning rate"), optional("momentum", 0.0, "share of the last step that is kept"),
                               optional("dampening", 0.0, "share of the gradient left out of the momentum"),
                               optional("weight_decay", 0.0, "pull towards zero"), optional("nesterov", false, "look ahead along the momentum"),
                               kMaximize, kForeach, kDifferentiable},
                    .make = [](const Args& args) -> Value {
                      const Dict settings = settings_of(args);
                      check_settings(settings, {"lr", "momentum", "weight_decay"});
                      if (settings.at("nesterov").truthy() && !(settings.at("momentum").as_float() > 0 && settings.at("dampening").as_float() == 0))
                        throw Error(ErrorKind::config, "nesterov wants a momentum and no dampening");
                      return std::make_shared<Sgd>("SGD", args["params"], settings);
                    }});

const Register novograd({.kind = "optimizer",
                         .name = "Novograd",
                         .summary = "Adaptive moments per layer",
                         .params = {kParams, optional("lr", 1e-3, "learning rate"), optional("betas", betas(0.9, 0.98), "decay of the two moments"),
                                    optional("eps", 1e-8, "added to the denominator"), optional("weight_decay", 0.0, "pull towards zero"),
                                    optional("grad_averaging", false, "scale the gradient by 1 - beta1"),
                                    optional("amsgrad", false, "divide by the largest second moment so far")},
                         .make = [](const Args& args) -> Value {
                           const Dict settings = settings_of(args);
                           check_settings(settings, {"lr", "eps", "weight_decay"});
                           return std::make_shared<Novograd>("Novograd", args["params"], settings);
                         }});

}  // namespace
}  // namespace vesal::train
