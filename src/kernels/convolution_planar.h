// Convolutions to 1 to 4 channels: vectors of neighbouring positions of one channel.
#pragma once
#include <memory>

#include "kernels/convolution.h"

namespace vesal::kernels {

/// shape.out_channels <= kMostPlanarChannels, no groups; weight and bias as Convolution::make takes them.
std::unique_ptr<Convolution> make_planar(const ConvolutionShape& shape, const float* weight, const float* bias);

}  // namespace vesal::kernels
