#include "train/dice_loss.h"

namespace vesal::train {

using torch::Tensor;

namespace {

std::vector<std::int64_t> reduced_axes(const Tensor& t, bool batch) {
  std::vector<std::int64_t> axes;
  if (batch) axes.push_back(0);
  for (std::int64_t axis = 2; axis < t.dim(); ++axis) axes.push_back(axis);
  return axes;
}

const Register dice({.kind = "loss",
                     .name = "DiceLoss",
                     .aliases = {"Dice", "dice"},
                     .summary = "One minus the soft Dice overlap of predictions and ground truth",
                     .params = dice_params() + std::vector<Param>{optional("weight", nullptr, "a number, or one per class"),
                                                                  optional("soft_label", false, "the ground truth is not only 0 and 1")},
                     .make = [](const Args& args) -> Value {
                       DiceLoss::Options o = DiceLoss::Options::read(args);
                       o.weight = parse_weights(args, "weight");
                       o.soft_label = args.get<bool>("soft_label");
                       return std::make_shared<DiceLoss>(std::move(o));
                     }});

}  // namespace

Overlap overlap(const Tensor& input, const Tensor& target, bool batch, bool squared, bool soft_label) {
  const auto axes = reduced_axes(input, batch);
  if (!squared && !soft_label) {
    const Tensor tp = (input * target).sum(axes);
    return {tp, input.sum(axes) - tp, target.sum(axes) - tp};
  }
  const auto size = [&](const Tensor& t) { return squared ? t.square().sum(axes) : t.abs().sum(axes); };
  const Tensor predicted = size(input), truth = size(target);
  const Tensor tp = (predicted + truth - size(input - target)) / 2;
  return {tp, predicted - tp, truth - tp};
}

Tensor broadcastable(const Tensor& loss, std::int64_t dims) {
  std::vector<std::int64_t> shape = loss.sizes().vec();
  shape.insert(shape.end(), dims - 2, 1);
  return loss.view(shape);
}

DiceLoss::Options DiceLoss::Options::read(const Args& args) {
  Options o;
  o.preparation = Preparation::read(args);
  o.squared_pred = args.get<bool>("squared_pred");
  o.jaccard = args.get<bool>("jaccard");
  o.reduction = parse_reduction(args.get<std::string>("reduction"));
  o.smooth_nr = args.get<double>("smooth_nr");
  o.smooth_dr = args.get<double>("smooth_dr");
  o.batch = args.get<bool>("batch");
  return o;
}

std::vector<Param> dice_params() {
  return preparation_params() + std::vector<Param>{optional("squared_pred", false, "squares in the denominator"),
                                                   optional("jaccard", false, "Jaccard index (soft IoU) instead of Dice"),
                                                   optional("reduction", "mean", "over items and classes: none, mean, sum"),
                                                   optional("smooth_nr", 1e-5, "added to the numerator"),
                                                   optional("smooth_dr", 1e-5, "added to the denominator"),
                                                   optional("batch", false, "sum the overlap over the batch before dividing")};
}

Tensor DiceLoss::forward(const Tensor& raw_input, const Tensor& raw_target) const {
  const auto [input, target] = o_.preparation.apply(raw_input, raw_target);
  auto [tp, fp, fn] = overlap(input, target, o_.batch, o_.squared_pred, o_.soft_label);
  const double share = o_.jaccard ? 1.0 : 0.5;
  Tensor loss = 1 - (2 * tp + o_.smooth_nr) / (2 * (tp + share * fp + share * fn) + o_.smooth_dr);
  loss = apply_weights(loss, o_.weight, input.size(1), o_.batch ? 0 : 1);
  return o_.reduction == Reduction::none ? broadcastable(loss, input.dim()) : reduce(loss, o_.reduction);
}

}  // namespace vesal::train
