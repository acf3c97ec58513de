// Convolutions with 3 taps along z by fewer multiplications than they have products.
#pragma once
#include "kernels/convolution.h"

namespace vesal::kernels {

/// Whether a float32 convolution of this shape is one that fewer multiplications make faster.
bool winograd_pays(const ConvolutionShape& shape);
/// For such a shape; weight and bias as Convolution::make takes them.
std::unique_ptr<Convolution> make_winograd(const ConvolutionShape& shape, const float* weight, const float* bias);

}  // namespace vesal::kernels
