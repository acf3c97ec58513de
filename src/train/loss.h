// Loss: what a network's output is judged by while it trains.
#pragma once
#include <torch/torch.h>

#include <optional>
#include <string>
#include <vector>

#include "base/registry.h"

namespace vesal::train {

enum class Reduction { none, mean, sum };
/// "none", "mean", "sum"; throws Error(config) otherwise.
Reduction parse_reduction(const std::string& name);
torch::Tensor reduce(const torch::Tensor& loss, Reduction reduction);

/// A differentiable function of predictions and ground truth. Thread safe.
class Loss : public Object {
 public:
  explicit Loss(std::string name) : name_(std::move(name)) {}
  /// input [B, C, spatial...] floating; target as each loss says. Throws Error(shape) if they do not fit.
  virtual torch::Tensor forward(const torch::Tensor& input, const torch::Tensor& target) const = 0;
  /// loss(input, target) on arrays: a float, or an array if the loss does not reduce.
  Value call(const CallArgs& args) override;
  std::string type_name() const override { return name_; }

 private:
  std::string name_;
};

/// Class weights of a number, list or array; nothing for None. Throws Error(config) on a negative weight.
std::optional<torch::Tensor> parse_weights(const Args& args, const std::string& name);
/// Multiplies the channels (axis 1 of `loss`, axis 0 if it has one axis) with their weights; one channel stays as it is.
torch::Tensor apply_weights(const torch::Tensor& loss, const std::optional<torch::Tensor>& weights, std::int64_t classes, int channel_axis);

/// Labels [B, 1, ...] -> [B, classes, ...] of zeros and ones in `like`'s type. Throws Error(shape) on labels outside [0, classes).
torch::Tensor one_hot(const torch::Tensor& labels, std::int64_t classes, const torch::Tensor& like);

/// How predictions and labels become comparable: the flags that MONAI's Dice losses share.
struct Preparation {
  bool include_background = true, to_onehot_y = false, sigmoid = false, softmax = false;
  static Preparation read(const Args& args);  ///< refuses other_act and two activations at once
  /// Activates the prediction, encodes the labels, drops the background; both come back with the same shape.
  std::pair<torch::Tensor, torch::Tensor> apply(torch::Tensor input, torch::Tensor target) const;
};
std::vector<Param> preparation_params();
/// One list after another.
std::vector<Param> operator+(std::vector<Param> a, const std::vector<Param>& b);

/// A warning that is given once, however many iterations meet its cause.
void warn_once(const std::string& message);
/// Throws Error(shape) unless both have B, C and the same number of axes, and target has 1 or as many channels as input.
void check_dense(const torch::Tensor& input, const torch::Tensor& target);

}  // namespace vesal::train
