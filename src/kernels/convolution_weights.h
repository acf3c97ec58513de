// A convolution's weights as PyTorch has them.
#pragma once
#include "kernels/convolution.h"

namespace vesal::kernels {

/// The weight of one output channel, input channel and place in the kernel; owns nothing.
class Weights {
 public:
  Weights(const ConvolutionShape& shape, const float* weight) : shape_(shape), weight_(weight), taps_(voxels(shape.kernel)) {}
  float at(std::int64_t out, std::int64_t in, std::int64_t tap) const {
    const std::int64_t row = shape_.transposed ? in * shape_.out_channels + out : out * shape_.in_channels + in;
    return weight_[row * taps_ + tap];
  }

 private:
  const ConvolutionShape& shape_;
  const float* weight_;
  std::int64_t taps_;
};

}  // namespace vesal::kernels
