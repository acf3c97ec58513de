// Moving activations between layouts and into parts of others.
#pragma once
#include <array>
#include <cstdint>

#include "kernels/activations.h"

namespace vesal::kernels {

/// A dense array [channels, x, y, z] as activations, planar whatever its channels.
Activations dense(float* data, std::int64_t channels, const Extents& extents);

/// Copies all channels of `from` to the channels [first, first + from.channels) of `to`, which has the same extents and any layout. In a block
/// whose lanes begin with these channels the lanes after them become zeros: parts of a concatenation are to be copied in order.
void copy_channels(const Activations& from, const Activations& to, std::int64_t first = 0);

/// out = in with `before` voxels of `value` put in front of each axis and as many behind as fill out's extents; negative: cut off.
void pad(const Activations& in, const Extents& before, float value, const Activations& out);

}  // namespace vesal::kernels
