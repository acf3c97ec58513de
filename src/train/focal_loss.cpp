#include "train/focal_loss.h"

namespace vesal::train {

using torch::Tensor;

Tensor FocalLoss::forward(const Tensor& raw_input, const Tensor& raw_target) const {
  const Preparation preparation{.include_background = o_.include_background, .to_onehot_y = o_.to_onehot_y};
  const auto [input, target] = preparation.apply(raw_input.to(torch::kFloat32), raw_target);
  Tensor loss = o_.use_softmax ? by_softmax(input, target) : by_sigmoid(input, target);
  loss = apply_weights(loss, o_.weight, input.size(1), 1);
  if (o_.reduction == Reduction::sum) {
    std::vector<std::int64_t> spatial;
    for (std::int64_t axis = 2; axis < loss.dim(); ++axis) spatial.push_back(axis);
    return loss.mean(spatial).sum();
  }
  return reduce(loss, o_.reduction);
}

Tensor FocalLoss::by_softmax(const Tensor& input, const Tensor& target) const {
  const Tensor log_p = torch::log_softmax(input, 1);
  const Tensor loss = -(1 - log_p.exp()).pow(o_.gamma) * log_p * target;
  if (!o_.alpha) return loss;
  if (!o_.include_background) {
    warn_once("FocalLoss: alpha is ignored with use_softmax and without the background");
    return loss;
  }
  std::vector<std::int64_t> shape(loss.dim(), 1);
  shape[1] = loss.size(1);
  Tensor factor = torch::full(shape, *o_.alpha, loss.options());
  factor.select(1, 0).fill_(1 - *o_.alpha);
  return factor * loss;
}

Tensor FocalLoss::by_sigmoid(const Tensor& input, const Tensor& target) const {
  const Tensor cross_entropy = input - input * target - torch::log_sigmoid(input);
  const Tensor log_miss = torch::log_sigmoid(-input * (target * 2 - 1));  // log of 1 - p of the true class
  const Tensor loss = (log_miss * o_.gamma).exp() * cross_entropy;
  return o_.alpha ? (target * *o_.alpha + (1 - target) * (1 - *o_.alpha)) * loss : loss;
}

namespace {

const Register focal({.kind = "loss",
                      .name = "FocalLoss",
                      .summary = "Cross entropy that plays down what is easy",
                      .params = {optional("include_background", true, "count channel 0 too"),
                                 optional("to_onehot_y", false, "turn labels [B, 1, ...] into one channel per class"),
                                 optional("gamma", 2.0, "how much easy voxels are played down"),
                                 optional("alpha", nullptr, "balance of foreground against background, 0..1"),
                                 optional("weight", nullptr, "a number, or one per class"),
                                 optional("reduction", "mean", "none, mean, sum (sum averages over space first)"),
                                 optional("use_softmax", false, "softmax over the channels instead of a sigmoid")},
                      .make = [](const Args& args) -> Value {
                        return std::make_shared<FocalLoss>(FocalLoss::Options{
                            .include_background = args.get<bool>("include_background"),
                            .to_onehot_y = args.get<bool>("to_onehot_y"),
                            .use_softmax = args.get<bool>("use_softmax"),
                            .gamma = args.get<double>("gamma"),
                            .alpha = args.get<std::optional<double>>("alpha"),
                            .weight = parse_weights(args, "weight"),
                            .reduction = parse_reduction(args.get<std::string>("reduction")),
                        });
                      }});

}  // namespace
}  // namespace vesal::train
