// Voxels that need not exist yet: read box by box, so that probabilities never have to exist at scan resolution.
#pragma once
#include <memory>
#include <vector>

#include "base/array.h"

namespace vesal::image {

/// A box of voxels: begin (inclusive) and end (exclusive) per spatial axis.
struct Box {
  std::vector<std::int64_t> begin, end;
  std::int64_t size(int axis) const { return end[axis] - begin[axis]; }
};

/// A [C, spatial...] array that is computed on demand. read() is thread safe and may be called with any box inside shape().
class VoxelSource {
 public:
  virtual ~VoxelSource() = default;
  virtual std::int64_t channels() const = 0;
  virtual const Shape& spatial_shape() const = 0;
  virtual DType dtype() const = 0;
  /// [C, box...]; may be a strided view of memory the source holds.
  virtual Array read(const Box& box) const = 0;
  /// The voxels that read(box) looks at of the source at the bottom, the one that is computed from no other: for that one, the box itself.
  virtual Box needs(const Box& box) const { return box; }
};
using VoxelSourcePtr = std::shared_ptr<const VoxelSource>;

/// An array that is already there.
VoxelSourcePtr source_of(Array array);
/// All of it; reads in slabs along the first spatial axis, in parallel.
Array materialize(const VoxelSource& source);

}  // namespace vesal::image
