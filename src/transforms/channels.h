// The channel axis of a freshly read image.
#pragma once
#include "image/image.h"

namespace vesal::transforms {

/// The image with its channel axis first, as a view. channel_dim is an axis, or NaN or "no_channel" for none: a new axis is added.
/// Remembers it in the metadata. Throws Error(shape) if there is no such axis.
image::Image channel_first(const image::Image& image, const Value& channel_dim);

}  // namespace vesal::transforms
