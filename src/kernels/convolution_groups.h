// Convolutions in groups: depthwise ones by themselves, whole blocks as convolutions of their own, all others as one with zeros between the groups.
#pragma once
#include <memory>

#include "kernels/convolution.h"

namespace vesal::kernels {

/// shape.groups > 1; weight and bias as Convolution::make takes them.
std::unique_ptr<Convolution> make_grouped(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision);

}  // namespace vesal::kernels
