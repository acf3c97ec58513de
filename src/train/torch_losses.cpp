// Losses of torch.nn that bundles name.
#include "train/loss.h"

namespace vesal::train {
namespace {

namespace F = torch::nn::functional;
using torch::Tensor;

class FunctionLoss : public Loss {
 public:
  using Body = std::function<Tensor(const Tensor&, const Tensor&)>;
  FunctionLoss(std::string name, Body body) : Loss(std::move(name)), body_(std::move(body)) {}
  Tensor forward(const Tensor& input, const Tensor& target) const override { return body_(input, target); }

 private:
  Body body_;
};

/// Also the spelling that torch deprecates: size_average and reduce.
Reduction reduction_of(const Args& args) {
  if (args.is_none("size_average") && args.is_none("reduce")) return parse_reduction(args.get<std::string>("reduction"));
  const bool average = args.is_none("size_average") || args.get<bool>("size_average");
  const bool all = args.is_none("reduce") || args.get<bool>("reduce");
  return !all ? Reduction::none : average ? Reduction::mean : Reduction::sum;
}

template <class Options>
void set_reduction(Options& options, Reduction reduction) {
  if (reduction == Reduction::none) options.reduction(torch::kNone);
  if (reduction == Reduction::sum) options.reduction(torch::kSum);
}

const Param kSizeAverage = optional("size_average", nullptr, "deprecated in torch: use reduction");
const Param kReduce = optional("reduce", nullptr, "deprecated in torch: use reduction");
const Param kReduction = optional("reduction", "mean", "none, mean, sum");

std::vector<std::string> other_paths(const std::string& name) { return {"torch.nn.modules.loss." + name, "torch.nn.modules." + name}; }

const Register cross_entropy({.kind = "loss",
                              .name = "torch.nn.CrossEntropyLoss",
                              .aliases = other_paths("CrossEntropyLoss"),
                              .summary = "Cross entropy of logits [B, C, ...] with class indices [B, ...] or probabilities [B, C, ...]",
                              .params = {optional("weight", nullptr, "one number per class"), kSizeAverage,
                                         optional("ignore_index", -100, "label that does not count"), kReduce, kReduction,
                                         optional("label_smoothing", 0.0, "share of each label spread over all classes, 0..1")},
                              .make = [](const Args& args) -> Value {
                                F::CrossEntropyFuncOptions options;
                                if (auto weight = parse_weights(args, "weight")) options.weight(*weight);
                                options.ignore_index(args.get<std::int64_t>("ignore_index")).label_smoothing(args.get<double>("label_smoothing"));
                                set_reduction(options, reduction_of(args));
                                return std::make_shared<FunctionLoss>("CrossEntropyLoss", [options](const Tensor& input, const Tensor& target) {
                                  F::CrossEntropyFuncOptions own = options;
                                  if (own.weight().defined()) own.weight(own.weight().to(input));
                                  return F::cross_entropy(
                                      input, target.sizes() == input.sizes() ? target.to(input.scalar_type()) : target.to(torch::kInt64), own);
                                });
                              }});

const Register bce_with_logits({.kind = "loss",
                                .name = "torch.nn.BCEWithLogitsLoss",
                                .aliases = other_paths("BCEWithLogitsLoss"),
                                .summary = "Binary cross entropy of logits",
                                .params = {optional("weight", nullptr, "factor of each element, broadcast"), kSizeAverage, kReduce, kReduction,
                                           optional("pos_weight", nullptr, "factor of the positive part, broadcast")},
                                .make = [](const Args& args) -> Value {
                                  F::BinaryCrossEntropyWithLogitsFuncOptions options;
                                  if (auto weight = parse_weights(args, "weight")) options.weight(*weight);
                                  if (auto weight = parse_weights(args, "pos_weight")) options.pos_weight(*weight);
                                  set_reduction(options, reduction_of(args));
                                  return std::make_shared<FunctionLoss>("BCEWithLogitsLoss", [options](const Tensor& input, const Tensor& target) {
                                    F::BinaryCrossEntropyWithLogitsFuncOptions own = options;
                                    if (own.weight().defined()) own.weight(own.weight().to(input));
                                    if (own.pos_weight().defined()) own.pos_weight(own.pos_weight().to(input));
                                    return F::binary_cross_entropy_with_logits(input, target.to(input.scalar_type()), own);
                                  });
                                }});

/// Losses of the difference of two equally shaped tensors.
Component difference(const std::string& name, const std::string& summary, Tensor (*measure)(const Tensor&)) {
  return {.kind = "loss",
          .name = "torch.nn." + name,
          .aliases = other_paths(name),
          .summary = summary,
          .params = {kSizeAverage, kReduce, kReduction},
          .make = [name, measure](const Args& args) -> Value {
            const Reduction reduction = reduction_of(args);
            return std::make_shared<FunctionLoss>(name, [measure, reduction](const Tensor& input, const Tensor& target) {
              return reduce(measure(input - target.to(input.scalar_type())), reduction);
            });
          }};
}
const Register mse(difference("MSELoss", "Mean squared error", [](const Tensor& d) { return d.square(); }));
const Register l1(difference("L1Loss", "Mean absolute error", [](const Tensor& d) { return d.abs(); }));

}  // namespace
}  // namespace vesal::train
