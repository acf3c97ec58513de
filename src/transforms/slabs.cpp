#include "transforms/slabs.h"

#include <algorithm>

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace vesal::transforms {

using image::Box;

StoredSource::StoredSource(Array storage, DType seen_as)
    : storage_(std::move(storage)), spatial_(storage_.shape().begin() + 1, storage_.shape().end()), seen_as_(seen_as) {}

Array StoredSource::read(const Box& box) const { return view_of(storage_, box).to(seen_as_); }

image::VoxelSourcePtr source_of(const image::Image& image) { return image.deferred() ? image.deferred() : image::source_of(image.array()); }

Array stored_voxels(const image::Image& image) {
  if (auto stored = std::dynamic_pointer_cast<const StoredSource>(image.deferred())) return stored->storage();
  return image.array();
}

void for_each_slab(const image::VoxelSource& source, const std::string& title, const std::function<void(const Box&, const Array&)>& work) {
  constexpr std::int64_t kSlabValues = std::int64_t{1} << 20;
  const Shape& spatial = source.spatial_shape();
  if (numel_of(spatial) == 0) return;
  const std::int64_t per_plane = source.channels() * (numel_of(spatial) / spatial[0]);
  const std::int64_t planes = std::clamp<std::int64_t>(kSlabValues / std::max<std::int64_t>(per_plane, 1), 1, spatial[0]);
  Progress progress(title, spatial[0]);
  parallel_for((spatial[0] + planes - 1) / planes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t slab = begin; slab < end; ++slab) {
      check_cancelled();
      Box box{Shape(spatial.size(), 0), spatial};
      box.begin[0] = slab * planes;
      box.end[0] = std::min(spatial[0], box.begin[0] + planes);
      work(box, source.read(box));
      progress.advance(box.size(0));
    }
  });
}

Array contiguous_channels(const Array& voxels) { return voxels.size(0) > 0 && voxels.select(0, 0).is_contiguous() ? voxels : voxels.contiguous(); }

Array view_of(const Array& array, const Box& box) {
  Array view = array;
  for (std::size_t i = 0; i < box.begin.size(); ++i) view = view.slice(static_cast<int>(i) + 1, box.begin[i], box.end[i]);
  return view;
}

}  // namespace vesal::transforms
