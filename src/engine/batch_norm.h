// Batch norm in evaluation as what it is: y = scale[c] * x + shift[c].
#pragma once
#include <cmath>
#include <vector>

#include "engine/attributes.h"

namespace vesal::engine {

struct ChannelAffine {
  std::vector<double> scale, shift;
};

inline ChannelAffine batch_norm_affine(const Node& node) {
  const std::vector<float> weight = numbers(node, "weight"), bias = numbers(node, "bias"), mean = numbers(node, "mean"),
                           variance = numbers(node, "variance");
  if (mean.size() != variance.size() || mean.empty()) throw Error(ErrorKind::shape, "batch_norm without a mean and a variance of one size");
  const double eps = number(node, "eps", 1e-5);
  ChannelAffine affine;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    affine.scale.push_back((weight.empty() ? 1.0 : weight.at(c)) / std::sqrt(static_cast<double>(variance[c]) + eps));
    affine.shift.push_back((bias.empty() ? 0.0 : bias.at(c)) - static_cast<double>(mean[c]) * affine.scale[c]);
  }
  return affine;
}

}  // namespace vesal::engine
