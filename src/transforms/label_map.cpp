#include "transforms/label_map.h"

#include <atomic>

#include "transforms/slabs.h"

namespace vesal::transforms {

Array compact_labels(const image::Image& image) {
  if (!image.deferred() || std::dynamic_pointer_cast<const StoredSource>(image.deferred())) return stored_voxels(image);
  if (image.dtype() == DType::u8 || image.dtype() == DType::boolean) return image.array();
  Array labels = Array::empty(image.shape(), DType::u8);
  std::atomic<bool> whole = true;
  for_each_slab(*image.deferred(), "labels", [&](const image::Box& box, const Array& voxels) {
    if (!whole) return;
    const Array small = map_voxels<std::uint8_t>(voxels, [](auto v) { return v >= 0 && v <= 255 ? v : 0; });
    const Array same =
        map_voxels<std::uint8_t>(voxels, [](auto v) { return v == static_cast<decltype(v)>(v >= 0 && v <= 255 ? static_cast<int>(v) : -1); });
    const std::uint8_t* p = same.data<std::uint8_t>();
    if (!std::all_of(p, p + same.numel(), [](std::uint8_t s) { return s != 0; })) whole = false;
    view_of(labels, box).copy_from(small);
  });
  return whole ? labels : image.array();
}

std::set<std::int64_t> labels_in(const Array& voxels) {
  std::set<std::int64_t> found;
  const Array values = map_voxels<std::int32_t>(voxels, [](auto v) { return v; });
  const std::int32_t* p = values.data<std::int32_t>();
  std::int32_t last = 0;
  for (std::int64_t i = 0; i < values.numel(); ++i)
    if (p[i] != last) found.insert(last = p[i]);
  found.erase(0);
  return found;
}

image::Image with_labels(const image::Image& image, Array labels, DType type) {
  if (labels.dtype() == type) return image.with(std::move(labels));
  if (labels.dim() < 2) return image.with(labels.to(type));
  return image.with(std::make_shared<StoredSource>(std::move(labels), type));
}

}  // namespace vesal::transforms
