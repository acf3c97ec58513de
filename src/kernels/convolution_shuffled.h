// Transposed convolutions to few channels: all phases of all channels as the lanes of one ordinary convolution, put in their places afterwards.
#pragma once
#include <memory>

#include "kernels/convolution.h"

namespace vesal::kernels {

/// Whether that pays: many input channels, and phases times output channels fill a block or two.
bool can_be_shuffled(const ConvolutionShape& shape);
std::unique_ptr<Convolution> make_shuffled(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision);

}  // namespace vesal::kernels
