// Dropout layers, with PyTorch's arguments and defaults.
#include "nn/factory.h"

namespace vesal::nn {
namespace {

double probability(const Args& args) {
  const double p = args.get<double>("p");
  if (!(p >= 0 && p <= 1)) throw Error(ErrorKind::config, "dropout: p = " + std::to_string(p) + ", want 0..1");
  return p;
}

/// Drops elements, or whole channels, while training.
class Dropout : public Layer {
 public:
  using Body = Tensor (*)(const Tensor&, double, bool);
  Dropout(double p, Body body) : p_(p), body_(body) {}
  Tensor forward(const Tensor& x) override { return is_training() ? body_(x, p_, true) : x; }

 private:
  double p_;
  Body body_;
};

const std::vector<Param> kParams = {optional("p", 0.5, "probability"), optional("inplace", false, "accepted, not used")};

const RegisterLayer dropout(dropouts(), {"dropout"}, kParams, [](const Args& a, const LayerPlace& place) {
  return std::make_shared<Dropout>(probability(a), place.spatial_dims == 1 ? torch::dropout : torch::feature_dropout);
});
const RegisterLayer alpha_dropout(dropouts(), {"alphadropout"}, kParams,
                                  [](const Args& a, const LayerPlace&) { return std::make_shared<Dropout>(probability(a), torch::alpha_dropout); });

}  // namespace
}  // namespace vesal::nn
