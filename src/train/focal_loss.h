// FocalLoss, also a part of DiceFocalLoss.
#pragma once
#include "train/loss.h"

namespace vesal::train {

/// -alpha (1 - p)^gamma log p of the true class, from logits. Lin et al., ICCV 2017; monai.losses.FocalLoss.
class FocalLoss : public Loss {
 public:
  struct Options {
    bool include_background = true, to_onehot_y = false, use_softmax = false;
    double gamma = 2.0;
    std::optional<double> alpha;
    std::optional<torch::Tensor> weight;
    Reduction reduction = Reduction::mean;
  };
  explicit FocalLoss(Options options) : Loss("FocalLoss"), o_(std::move(options)) {}
  /// input: logits; target: [B, C, ...] of 0 and 1, or [B, 1, ...] labels with to_onehot_y. With "sum" the spatial axes are averaged.
  torch::Tensor forward(const torch::Tensor& input, const torch::Tensor& target) const override;

 private:
  torch::Tensor by_softmax(const torch::Tensor& input, const torch::Tensor& target) const;
  torch::Tensor by_sigmoid(const torch::Tensor& input, const torch::Tensor& target) const;
  Options o_;
};

}  // namespace vesal::train
