// DiceCELoss: Dice plus cross entropy, as monai.losses.DiceCELoss.
#include "train/dice_loss.h"

namespace vesal::train {
namespace {

namespace F = torch::nn::functional;
using torch::Tensor;

class DiceCELoss : public Loss {
 public:
  DiceCELoss(DiceLoss::Options dice, std::optional<Tensor> weight, double lambda_dice, double lambda_ce, double label_smoothing)
      : Loss("DiceCELoss"),
        reduction_(dice.reduction),
        dice_(std::move(dice)),
        weight_(std::move(weight)),
        lambda_dice_(lambda_dice),
        lambda_ce_(lambda_ce),
        label_smoothing_(label_smoothing) {}

  /// target: [B, 1, ...] labels (with to_onehot_y) or [B, C, ...] probabilities.
  Tensor forward(const Tensor& input, const Tensor& target) const override {
    check_dense(input, target);
    const Tensor dice = dice_.forward(input, target);  // first: it says which label is out of range
    return lambda_dice_ * dice + lambda_ce_ * (input.size(1) == 1 ? binary(input, target) : multiclass(input, target));
  }

 private:
  Tensor multiclass(const Tensor& input, const Tensor& target) const {
    F::CrossEntropyFuncOptions options;
    options.label_smoothing(label_smoothing_);
    if (weight_) options.weight(weight_->to(input));
    if (reduction_ == Reduction::sum) options.reduction(torch::kSum);
    const bool labels = target.size(1) == 1;
    return F::cross_entropy(input, labels ? target.squeeze(1).to(torch::kInt64) : target.to(input.scalar_type()), options);
  }
  Tensor binary(const Tensor& input, const Tensor& target) const {
    F::BinaryCrossEntropyWithLogitsFuncOptions options;
    if (weight_) options.pos_weight(weight_->to(input));
    if (reduction_ == Reduction::sum) options.reduction(torch::kSum);
    return F::binary_cross_entropy_with_logits(input, target.to(input.scalar_type()), options);
  }

  Reduction reduction_;
  DiceLoss dice_;
  std::optional<Tensor> weight_;
  double lambda_dice_, lambda_ce_, label_smoothing_;
};

Value make(const Args& args) {
  DiceLoss::Options dice = DiceLoss::Options::read(args);
  if (dice.reduction == Reduction::none) throw Error(ErrorKind::config, "DiceCELoss: reduction must be mean or sum");
  std::optional<Tensor> weight = parse_weights(args, "weight");
  if (weight && weight->dim() == 0) weight = weight->view({1});
  dice.weight = weight && !dice.preparation.include_background ? weight->slice(0, 1) : weight;
  if (dice.weight && dice.weight->numel() == 0) dice.weight.reset();
  const double lambda_dice = args.get<double>("lambda_dice"), lambda_ce = args.get<double>("lambda_ce");
  if (lambda_dice < 0 || lambda_ce < 0) throw Error(ErrorKind::config, "DiceCELoss: lambda_dice and lambda_ce must be no less than 0");
  return std::make_shared<DiceCELoss>(std::move(dice), std::move(weight), lambda_dice, lambda_ce, args.get<double>("label_smoothing"));
}

const Register dice_ce({.kind = "loss",
                        .name = "DiceCELoss",
                        .summary = "Weighted sum of Dice loss and cross entropy (binary with logits for one channel)",
                        .params = dice_params() +
                                  std::vector<Param>{optional("weight", nullptr, "one number per class"),
                                                     optional("lambda_dice", 1.0, "factor of the Dice loss"),
                                                     optional("lambda_ce", 1.0, "factor of the cross entropy"),
                                                     optional("label_smoothing", 0.0, "share of each label spread over all classes, 0..1")},
                        .make = make});

}  // namespace
}  // namespace vesal::train
