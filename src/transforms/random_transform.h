// The way to write a random image transform.
//
// Derive from RandomImageTransform, register with RegisterRandomTransform: both the array form ("RandFlip") and the dictionary form
// ("RandFlipd"), whose keys all get the same draw.
#pragma once
#include "transforms/transform.h"

namespace vesal::transforms {

/// One image in, one out, changed with some probability by parameters that are drawn.
class RandomImageTransform : public ImageTransform, public Randomizable {
 public:
  /// Throws Error(config) for a probability outside of [0, 1].
  explicit RandomImageTransform(double probability);
  Image transform(const Image& image) const final { return transform(image, next_stream()); }
  /// With a stream of one's own: the same stream gives the same draw, whatever the image's values are.
  Image transform(const Image& image, Random random) const { return random.chance(probability_) ? changed(image, random) : unchanged(image); }

 protected:
  virtual Image changed(const Image& image, Random& random) const = 0;
  virtual Image unchanged(const Image& image) const { return image; }

 private:
  double probability_;
};

/// How a random transform registers itself.
struct RandomSpec {
  std::string name, summary;
  std::vector<Param> params;         ///< of the array form, in MONAI's order
  std::vector<std::string> per_key;  ///< those the dictionary form takes as one value or one per key
  std::function<std::shared_ptr<RandomImageTransform>(const Args&)> make;
  std::vector<std::string> dict_order = {};  ///< names of the first params of the dictionary form, where MONAI's order differs
  std::vector<Param> dict_params = {};       ///< further arguments only the dictionary form has
};
struct RegisterRandomTransform {
  explicit RegisterRandomTransform(RandomSpec spec);
};

/// "prob", the usual argument.
Param prob_param(double fallback = 0.1);

struct Interval {
  double low = 0, high = 0;
  double draw(Random& random) const { return random.uniform(low, high); }
};
/// A pair in any order, or a number r as [-r, r]; throws Error(config) naming the argument.
Interval interval_argument(const Args& args, const std::string& name);

/// An index drawn with probability proportional to its weight. Weights are not negative, at least one is positive.
std::size_t weighted_choice(const std::vector<double>& weights, Random& random);

}  // namespace vesal::transforms
