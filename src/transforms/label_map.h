// Label maps in the small type they are kept in: post-processing never blows labels up to floats.
#pragma once
#include <algorithm>
#include <set>

#include "base/parallel.h"
#include "image/image.h"

namespace vesal::transforms {

/// The image's voxels: deferred ones are read slab by slab, into uint8 if all are whole numbers of that range, else into their own type.
Array compact_labels(const image::Image& image);

/// The labels there are, without 0; cut to whole numbers.
std::set<std::int64_t> labels_in(const Array& voxels);

/// The image with other labels, which are read as `type`.
image::Image with_labels(const image::Image& image, Array labels, DType type);

/// A C-contiguous array of U, each made(voxel) of the voxel as double or, for integers of at most 32 bits, as int32; in parallel.
template <class U, class Make>
Array map_voxels(const Array& voxels, Make&& make) {
  const Array in = voxels.contiguous();
  Array out = Array::empty(in.shape(), dtype_of<U>());
  U* to = out.data<U>();
  visit_dtype(in.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr bool small = std::is_integral_v<T> && (sizeof(T) < 4 || std::is_same_v<T, std::int32_t>);
    const T* from = in.data<T>();
    parallel_for(in.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = convert<U>(make(convert<std::conditional_t<small, std::int32_t, double>>(from[i])));
    });
  });
  return out;
}

}  // namespace vesal::transforms
