#include "image/voxel_source.h"

#include <algorithm>

#include "base/parallel.h"

namespace vesal::image {
namespace {

class ArraySource : public VoxelSource {
 public:
  explicit ArraySource(Array a) : array_(std::move(a)), spatial_(array_.shape().begin() + 1, array_.shape().end()) {}
  std::int64_t channels() const override { return array_.size(0); }
  const Shape& spatial_shape() const override { return spatial_; }
  DType dtype() const override { return array_.dtype(); }
  Array read(const Box& box) const override {
    Array view = array_;
    for (std::size_t i = 0; i < spatial_.size(); ++i) view = view.slice(static_cast<int>(i) + 1, box.begin[i], box.end[i]);
    return view;
  }

 private:
  Array array_;
  Shape spatial_;
};

}  // namespace

VoxelSourcePtr source_of(Array array) {
  if (array.dim() < 2) throw Error(ErrorKind::shape, "voxels want a channel axis and spatial axes, got " + to_string(array.shape()));
  return std::make_shared<ArraySource>(std::move(array));
}

Array materialize(const VoxelSource& source) {
  const Shape& spatial = source.spatial_shape();
  Shape shape = spatial;
  shape.insert(shape.begin(), source.channels());
  Array out = Array::empty(shape, source.dtype());
  const std::int64_t per_plane = std::max<std::int64_t>(1, numel_of(shape) / std::max<std::int64_t>(1, spatial[0]));
  const std::int64_t planes = std::max<std::int64_t>(1, (std::int64_t{4} << 20) / per_plane);
  parallel_for((spatial[0] + planes - 1) / planes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Box box{Shape(spatial.size(), 0), spatial};
      box.begin[0] = i * planes;
      box.end[0] = std::min(spatial[0], box.begin[0] + planes);
      out.slice(1, box.begin[0], box.end[0]).copy_from(source.read(box));
    }
  });
  return out;
}

}  // namespace vesal::image
