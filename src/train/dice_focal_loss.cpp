// DiceFocalLoss: Dice plus focal loss, as monai.losses.DiceFocalLoss.
#include "train/dice_loss.h"
#include "train/focal_loss.h"

namespace vesal::train {
namespace {

using torch::Tensor;

class DiceFocalLoss : public Loss {
 public:
  DiceFocalLoss(DiceLoss::Options dice, FocalLoss::Options focal, bool to_onehot_y, double lambda_dice, double lambda_focal)
      : Loss("DiceFocalLoss"),
        dice_(std::move(dice)),
        focal_(std::move(focal)),
        to_onehot_y_(to_onehot_y),
        lambda_dice_(lambda_dice),
        lambda_focal_(lambda_focal) {}

  /// input: logits; target: [B, C, ...] of 0 and 1, or [B, 1, ...] labels with to_onehot_y.
  Tensor forward(const Tensor& input, const Tensor& raw_target) const override {
    check_dense(input, raw_target);
    const Tensor target = to_onehot_y_ && input.size(1) > 1 ? one_hot(raw_target, input.size(1), input.detach()) : raw_target;
    return lambda_dice_ * dice_.forward(input, target) + lambda_focal_ * focal_.forward(input, target);
  }

 private:
  DiceLoss dice_;
  FocalLoss focal_;
  bool to_onehot_y_;
  double lambda_dice_, lambda_focal_;
};

Value make(const Args& args) {
  DiceLoss::Options dice = DiceLoss::Options::read(args);
  dice.weight = parse_weights(args, "weight");
  const bool to_onehot_y = std::exchange(dice.preparation.to_onehot_y, false);
  const FocalLoss::Options focal{.include_background = dice.preparation.include_background,
                                 .gamma = args.get<double>("gamma"),
                                 .alpha = args.get<std::optional<double>>("alpha"),
                                 .weight = dice.weight,
                                 .reduction = dice.reduction};
  const double lambda_dice = args.get<double>("lambda_dice"), lambda_focal = args.get<double>("lambda_focal");
  if (lambda_dice < 0 || lambda_focal < 0) throw Error(ErrorKind::config, "DiceFocalLoss: lambda_dice and lambda_focal must be no less than 0");
  return std::make_shared<DiceFocalLoss>(std::move(dice), focal, to_onehot_y, lambda_dice, lambda_focal);
}

const Register dice_focal({.kind = "loss",
                           .name = "DiceFocalLoss",
                           .summary = "Weighted sum of Dice loss and focal loss",
                           .params = dice_params() + std::vector<Param>{optional("gamma", 2.0, "how much easy voxels are played down"),
                                                                        optional("weight", nullptr, "a number, or one per class"),
                                                                        optional("lambda_dice", 1.0, "factor of the Dice loss"),
                                                                        optional("lambda_focal", 1.0, "factor of the focal loss"),
                                                                        optional("alpha", nullptr, "balance of foreground against background, 0..1")},
                           .make = make});

}  // namespace
}  // namespace vesal::train
