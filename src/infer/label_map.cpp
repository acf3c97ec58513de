#include "infer/label_map.h"

#include <atomic>
#include <cmath>
#include <limits>

#include "image/preview.h"
#include "transforms/slabs.h"

namespace vesal::infer {
namespace {

double largest(DType type) {
  return visit_dtype(type, [](auto tag) -> double {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) return static_cast<double>(std::numeric_limits<T>::max());
    else return 0;
  });
}

/// The source's voxels as `type`, or nothing if one of them is no whole number in [0, largest(type)].
std::optional<Array> as_labels(const image::VoxelSource& source, DType type) {
  Shape shape = source.spatial_shape();
  shape.insert(shape.begin(), source.channels());
  Array out = Array::empty(shape, type);
  const double most = largest(type);
  std::atomic<bool> fits{true};
  transforms::for_each_slab(source, "labels", [&](const image::Box& box, const Array& voxels) {
    if (!fits) return;
    const Array in = voxels.contiguous();
    visit_dtype(in.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* p = static_cast<const T*>(in.raw());
      for (std::int64_t i = 0; i < in.numel(); ++i) {
        const auto v = convert<double>(p[i]);
        if (!(v >= 0 && v <= most && v == std::trunc(v))) {
          fits = false;
          return;
        }
      }
    });
    transforms::view_of(out, box).copy_from(in);
  });
  if (!fits) return std::nullopt;
  return out;
}

}  // namespace

Array label_array(const image::Image& result, std::optional<DType> wanted) {
  const auto stored = std::dynamic_pointer_cast<const transforms::StoredSource>(result.deferred());
  const image::VoxelSourcePtr source = stored ? image::source_of(stored->storage()) : transforms::source_of(result);
  std::vector<DType> types{DType::u8, DType::u16, DType::u32};
  if (wanted && largest(*wanted) > 0) types.insert(types.begin(), *wanted);
  for (const DType type : types) {
    if (stored && stored->storage().dtype() == type) return stored->storage();
    if (auto labels = as_labels(*source, type)) return *labels;
  }
  return image::materialize(*source);
}

std::vector<LabelAmount> label_amounts(const image::Image& mask, const std::map<std::int64_t, std::string>& names) {
  const Array& voxels = mask.array();
  if (is_floating(voxels.dtype())) return {};
  const std::int64_t channels = voxels.size(0);
  std::map<std::int64_t, LabelAmount> amounts;
  for (const auto& [label, name] : names)
    if (channels > 1 || label != 0) amounts[label] = {label, name, 0, 0};
  for (std::int64_t c = 0; c < channels; ++c) {
    for (const image::LabelVolume& v : image::label_volumes(mask.with(voxels.slice(0, c, c + 1)))) {
      LabelAmount& amount = amounts[channels > 1 ? c : v.label];
      amount.label = channels > 1 ? c : v.label;
      amount.voxels += v.voxels;
      amount.ml += v.ml;
    }
  }
  std::vector<LabelAmount> list;
  for (const auto& [label, amount] : amounts) list.push_back(amount);
  return list;
}

}  // namespace vesal::infer
