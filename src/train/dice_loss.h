// DiceLoss, also a part of DiceCELoss and DiceFocalLoss.
#pragma once
#include "train/loss.h"

namespace vesal::train {

/// Overlap sums per batch item and channel, spatial axes (and the batch axis too, if `batch`) summed up.
struct Overlap {
  torch::Tensor tp, fp, fn;
};
/// The semimetric form of Wang et al., "Dice Semimetric Losses" (MICCAI 2023), where order is 2 or labels are soft; monai.losses.utils.
Overlap overlap(const torch::Tensor& input, const torch::Tensor& target, bool batch, bool squared, bool soft_label);
/// [B, C] or [C] with axes of extent 1 appended, so that it broadcasts against the predictions.
torch::Tensor broadcastable(const torch::Tensor& loss, std::int64_t dims);

/// 1 - (2 tp + smooth_nr) / (2 tp + fp + fn + smooth_dr) of soft sums. V-Net, Milletari et al. 2016; monai.losses.DiceLoss.
class DiceLoss : public Loss {
 public:
  struct Options {
    Preparation preparation;
    bool squared_pred = false, jaccard = false, batch = false, soft_label = false;
    Reduction reduction = Reduction::mean;
    double smooth_nr = 1e-5, smooth_dr = 1e-5;
    std::optional<torch::Tensor> weight;
    /// The arguments that all losses built on Dice have (no weight, no soft_label).
    static Options read(const Args& args);
  };
  explicit DiceLoss(Options options) : Loss("DiceLoss"), o_(std::move(options)) {}
  /// target: [B, C, ...] of 0 and 1 (or soft), or [B, 1, ...] labels with to_onehot_y.
  torch::Tensor forward(const torch::Tensor& input, const torch::Tensor& target) const override;

 private:
  Options o_;
};

/// include_background ... batch, in MONAI's order.
std::vector<Param> dice_params();

}  // namespace vesal::train
