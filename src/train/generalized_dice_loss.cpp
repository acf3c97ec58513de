// GeneralizedDiceLoss: Dice over all classes, each weighted by its rarity. Sudre et al., DLMIA 2017; monai.losses.GeneralizedDiceLoss.
#include "train/dice_loss.h"

namespace vesal::train {
namespace {

using torch::Tensor;
enum class Rarity { square, simple, uniform };

class GeneralizedDiceLoss : public Loss {
 public:
  GeneralizedDiceLoss(DiceLoss::Options options, Rarity rarity) : Loss("GeneralizedDiceLoss"), o_(std::move(options)), rarity_(rarity) {}

  /// target: [B, C, ...] of 0 and 1, or [B, 1, ...] labels with to_onehot_y.
  Tensor forward(const Tensor& raw_input, const Tensor& raw_target) const override {
    const auto [input, target] = o_.preparation.apply(raw_input, raw_target);
    if (input.dim() < 3) throw Error(ErrorKind::shape, "GeneralizedDiceLoss wants [B, C, spatial...], got " + to_string(input.sizes().vec()));
    const auto [tp, fp, fn] = overlap(input, target, o_.batch, false, o_.soft_label);
    const std::int64_t classes = o_.batch ? 0 : 1;  // the axis of the classes
    std::vector<std::int64_t> summed;
    if (o_.batch) summed.push_back(0);
    for (std::int64_t axis = 2; axis < input.dim(); ++axis) summed.push_back(axis);
    const Tensor w = weights(target.sum(summed).to(torch::kFloat32), classes);
    const Tensor loss = 1 - (2 * (tp * w).sum(classes, true) + o_.smooth_nr) / ((2 * tp + fp + fn).mul(w).sum(classes, true) + o_.smooth_dr);
    return o_.reduction == Reduction::none ? broadcastable(loss, input.dim()) : reduce(loss, o_.reduction);
  }

 private:
  /// 1, 1/n or 1/n^2 of the class volumes; an absent class weighs as much as the rarest one there is.
  Tensor weights(const Tensor& volume, std::int64_t classes) const {
    if (rarity_ == Rarity::uniform) return torch::ones_like(volume);
    const Tensor w = (rarity_ == Rarity::simple ? volume : volume * volume).reciprocal();
    const Tensor absent = w.isinf();
    const Tensor finite = w.masked_fill(absent, 0);
    return finite + absent * finite.amax({classes}, true);
  }

  DiceLoss::Options o_;
  Rarity rarity_;
};

Rarity parse_rarity(const std::string& name) {
  if (name == "square") return Rarity::square;
  if (name == "simple") return Rarity::simple;
  if (name == "uniform") return Rarity::uniform;
  throw Error(ErrorKind::config, "GeneralizedDiceLoss: w_type '" + name + "', want square, simple or uniform");
}

Value make(const Args& args) {
  DiceLoss::Options o;
  o.preparation = Preparation::read(args);
  o.reduction = parse_reduction(args.get<std::string>("reduction"));
  o.smooth_nr = args.get<double>("smooth_nr");
  o.smooth_dr = args.get<double>("smooth_dr");
  o.batch = args.get<bool>("batch");
  o.soft_label = args.get<bool>("soft_label");
  return std::make_shared<GeneralizedDiceLoss>(std::move(o), parse_rarity(args.get<std::string>("w_type")));
}

const Register generalized({.kind = "loss",
                            .name = "GeneralizedDiceLoss",
                            .aliases = {"generalized_dice"},
                            .summary = "Dice over all classes together, each weighted by its rarity",
                            .params = preparation_params() +
                                      std::vector<Param>{optional("w_type", "square", "weight of a class: square (1/n^2), simple (1/n), uniform"),
                                                         optional("reduction", "mean", "over the items: none, mean, sum"),
                                                         optional("smooth_nr", 1e-5, "added to the numerator"),
                                                         optional("smooth_dr", 1e-5, "added to the denominator"),
                                                         optional("batch", false, "sum the overlap over the batch before dividing"),
                                                         optional("soft_label", false, "the ground truth is not only 0 and 1")},
                            .make = make});

}  // namespace
}  // namespace vesal::train
