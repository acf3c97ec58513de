// Intensity transforms that do one thing by a factor, given or drawn.
#pragma once
#include "transforms/elementwise.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {

// Step: constructed from Args; apply(image, factor) -> Image; `type`, what the result is converted to even if nothing else changes; kName,
// the array form's name.

/// By the argument "factor".
template <class Step>
class ByFactor : public ImageTransform {
 public:
  explicit ByFactor(const Args& args) : step_(args), factor_(args.get<double>("factor")) {}
  std::string type_name() const override { return Step::kName; }
  Image transform(const Image& image) const override { return step_.apply(image, factor_); }

 private:
  Step step_;
  double factor_;
};

/// By a number drawn from the argument "factors".
template <class Step>
class ByRandomFactor : public RandomImageTransform {
 public:
  explicit ByRandomFactor(const Args& args)
      : RandomImageTransform(args.get<double>("prob")), step_(args), factors_(interval_argument(args, "factors")) {}
  std::string type_name() const override { return std::string("Rand") + Step::kName; }

 protected:
  Image changed(const Image& image, Random& random) const override { return step_.apply(image, factors_.draw(random)); }
  Image unchanged(const Image& image) const override { return step_.type ? image.with(converted(image.array(), *step_.type)) : image; }

 private:
  Step step_;
  Interval factors_;
};

}  // namespace vesal::transforms
