// Softmax over the channels of activations.
#pragma once
#include "kernels/activations.h"

namespace vesal::kernels {

/// Both layouts; out may be in. exp is within 1e-6 of the exact one.
void channel_softmax(const Activations& in, const Activations& out);

}  // namespace vesal::kernels
