#include "transforms/label_indices.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {
namespace {

using Mask = std::vector<std::uint8_t>;

/// Sets mask[i] where holds(value) for voxel i of any of the channels [first, end) of [C, spatial...].
template <class Holds>
void mark(const Array& array, std::int64_t first, std::int64_t end, Mask& mask, Holds holds) {
  for (std::int64_t c = first; c < end; ++c) {
    const Array channel = array.select(0, c).contiguous();
    visit_dtype(channel.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* p = channel.data<T>();
      parallel_for(channel.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t stop) {
        for (std::int64_t i = begin; i < stop; ++i) mask[static_cast<std::size_t>(i)] |= holds(convert<double>(p[i]));
      });
    });
  }
}

Mask empty_mask(const Array& label, const Array* image) {
  const Shape shape = spatial_shape(Image(label));
  if (image && spatial_shape(Image(*image)) != shape)
    throw Error(ErrorKind::shape, "the label is " + to_string(shape) + ", the image " + to_string(spatial_shape(Image(*image))));
  return Mask(static_cast<std::size_t>(numel_of(shape)), 0);
}

Mask valid_places(const Array& label, const Array* image, double threshold) {
  Mask valid = empty_mask(label, image);
  if (image) mark(*image, 0, image->size(0), valid, [threshold](double v) { return v > threshold; });
  else std::fill(valid.begin(), valid.end(), std::uint8_t{1});
  return valid;
}

template <class Test>
Array indices_where(std::size_t n, Test test) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += test(i);
  Array out = Array::empty({count}, DType::i64);
  std::int64_t* to = out.data<std::int64_t>();
  for (std::size_t i = 0; i < n; ++i)
    if (test(i)) *to++ = static_cast<std::int64_t>(i);
  return out;
}

Array thinned(const Array& indices, std::int64_t most) {
  const std::int64_t n = indices.numel();
  if (most <= 0 || n <= most) return indices;
  Array out = Array::empty({most}, DType::i64);
  const double step = most > 1 ? static_cast<double>(n - 1) / static_cast<double>(most - 1) : 0;
  for (std::int64_t i = 0; i < most; ++i)
    out.data<std::int64_t>()[i] = indices.data<std::int64_t>()[static_cast<std::int64_t>(std::nearbyint(static_cast<double>(i) * step))];
  return out;
}

}  // namespace

std::pair<Array, Array> foreground_background(const Array& label, const Array* image, double threshold) {
  Mask foreground = empty_mask(label, image);
  mark(label, label.size(0) > 1 ? 1 : 0, label.size(0), foreground, [](double v) { return v != 0; });
  const Mask valid = valid_places(label, image, threshold);
  return {indices_where(foreground.size(), [&](std::size_t i) { return foreground[i] != 0; }),
          indices_where(foreground.size(), [&](std::size_t i) { return !foreground[i] && valid[i]; })};
}

std::vector<Array> class_indices(const Array& label, std::optional<std::int64_t> classes, const Array* image, double threshold, std::int64_t most) {
  const std::int64_t channels = label.size(0);
  if (channels == 1 && !classes) throw Error(ErrorKind::config, "num_classes is wanted for a label of one channel");
  const Mask valid = valid_places(label, image, threshold);
  std::vector<Array> out;
  for (std::int64_t k = 0; k < (channels == 1 ? *classes : channels); ++k) {
    Mask mine(valid.size(), 0);
    if (channels == 1) mark(label, 0, 1, mine, [k](double v) { return v == static_cast<double>(k); });
    else mark(label, k, k + 1, mine, [](double v) { return v != 0; });
    out.push_back(thinned(indices_where(mine.size(), [&](std::size_t i) { return mine[i] && valid[i]; }), most));
  }
  return out;
}

Shape unravel(std::int64_t index, const Shape& shape) {
  Shape at(shape.size());
  for (std::size_t i = shape.size(); i-- > 0; index /= shape[i]) at[i] = index % shape[i];
  return at;
}

Shape window_begin(const Shape& center, const Shape& size, const Shape& shape) {
  Shape begin;
  for (std::size_t i = 0; i < shape.size(); ++i)
    begin.push_back(std::clamp<std::int64_t>(center[i] - size[i] / 2, 0, std::max<std::int64_t>(0, shape[i] - size[i])));
  return begin;
}

}  // namespace vesal::transforms
