#include "infer/windows.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace vesal::infer {
namespace {

template <class T>
std::vector<T> repeated(std::vector<T> values, std::size_t n, const char* what) {
  if (values.size() == 1) values.resize(n, values[0]);
  if (values.size() != n)
    throw Error(ErrorKind::config,
                std::string(what) + " has " + std::to_string(values.size()) + " entries for " + std::to_string(n) + " spatial axes");
  return values;
}

/// Starts of windows of `roi` voxels every `interval`, the last one moved back to end with the image.
std::vector<std::int64_t> axis_starts(std::int64_t extent, std::int64_t roi, std::int64_t interval) {
  std::vector<std::int64_t> starts;
  for (std::int64_t s = 0;; s += interval) {
    starts.push_back(std::min(s, extent - roi));
    if (s + roi >= extent) return starts;
  }
}

}  // namespace

BlendMode parse_blend_mode(const std::string& name) {
  if (name == "constant") return BlendMode::constant;
  if (name == "gaussian") return BlendMode::gaussian;
  throw Error(ErrorKind::config, "mode '" + name + "', want constant or gaussian");
}

PadMode parse_pad_mode(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "reflect") return PadMode::reflect;
  if (name == "replicate") return PadMode::replicate;
  if (name == "circular") return PadMode::circular;
  throw Error(ErrorKind::config, "padding_mode '" + name + "', want constant, reflect, replicate or circular");
}

Array importance_map(const Shape& roi, BlendMode mode, const std::vector<double>& sigma_scale) {
  if (mode == BlendMode::constant) return Array::full(roi, DType::f32, 1);
  const auto scale = repeated(sigma_scale, roi.size(), "sigma_scale");
  std::vector<float> map{1.0f};
  for (std::size_t axis = 0; axis < roi.size(); ++axis) {
    const double sigma = static_cast<double>(roi[axis]) * scale[axis];
    std::vector<float> next;
    next.reserve(map.size() * static_cast<std::size_t>(roi[axis]));
    for (const float outer : map) {
      for (std::int64_t i = 0; i < roi[axis]; ++i) {
        const float x = static_cast<float>(-static_cast<double>(roi[axis] - 1) / 2.0 + static_cast<double>(i));
        next.push_back(outer * std::exp(x * x / static_cast<float>(-2 * sigma * sigma)));
      }
    }
    map = std::move(next);
  }
  const float least = map.empty() ? 1.0f : std::max(*std::min_element(map.begin(), map.end()), 1e-3f);
  for (float& w : map) w = std::max(w, least);
  return Array::from<float>(std::span<const float>(map), roi);
}

WindowGrid::WindowGrid(Shape image, std::vector<std::int64_t> roi, std::vector<double> overlap) : image_(std::move(image)) {
  const std::size_t dims = image_.size();
  if (dims < 1 || dims > 3) throw Error(ErrorKind::shape, "a sliding window wants [N, C, x], [N, C, x, y] or [N, C, x, y, z]");
  roi_ = repeated(std::move(roi), dims, "roi_size");
  overlap = repeated(std::move(overlap), dims, "overlap");
  for (std::size_t i = 0; i < dims; ++i) {
    if (!(overlap[i] >= 0 && overlap[i] < 1)) throw Error(ErrorKind::config, "overlap must be at least 0 and less than 1");
    if (image_[i] < 1) throw Error(ErrorKind::shape, "an empty image " + to_string(image_));
    if (roi_[i] <= 0) roi_[i] = image_[i];
    padded_.push_back(std::max(image_[i], roi_[i]));
    pad_before_.push_back((padded_[i] - image_[i]) / 2);
    const auto interval = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(roi_[i]) * (1 - overlap[i])));
    starts_.push_back(axis_starts(padded_[i], roi_[i], interval));
  }
}

std::int64_t WindowGrid::count() const {
  std::int64_t n = 1;
  for (const auto& axis : starts_) n *= static_cast<std::int64_t>(axis.size());
  return n;
}

Shape WindowGrid::start(std::int64_t i) const {
  Shape at(starts_.size());
  for (std::size_t axis = starts_.size(); axis-- > 0;) {
    const auto n = static_cast<std::int64_t>(starts_[axis].size());
    at[axis] = starts_[axis][static_cast<std::size_t>(i % n)];
    i /= n;
  }
  return at;
}

void WindowGrid::copy_window(const Array& image, std::int64_t i, Array out) const {
  const Shape at = start(i);
  Array source = image;
  for (std::size_t axis = 0; axis < at.size(); ++axis) {
    const std::int64_t begin = at[axis] - pad_before_[axis];  // on the image's own grid; negative in the padding
    const std::int64_t first = std::max<std::int64_t>(begin, 0), last = std::min(begin + roi_[axis], image_[axis]);
    source = source.slice(static_cast<int>(axis) + 1, first, last);
    out = out.slice(static_cast<int>(axis) + 1, first - begin, last - begin);
  }
  out.copy_from(source);
}

Array pad_image(const Array& image, const WindowGrid& grid, PadMode mode) {
  Array padded = image;
  for (std::size_t axis = 0; axis < grid.image().size(); ++axis) {
    const std::int64_t n = grid.image()[axis], total = grid.padded()[axis], before = grid.pad_before()[axis];
    const std::int64_t most = total - n - before, limit = mode == PadMode::reflect ? n - 1 : mode == PadMode::circular ? n : total;
    if (total == n) continue;
    if (most > limit)
      throw Error(ErrorKind::shape,
                  "an image of " + to_string(grid.image()) + " is too small to be padded to " + to_string(grid.padded()) + " in this padding_mode");
    Shape shape = padded.shape();
    const int at = static_cast<int>(axis) + 2;
    shape[at] = total;
    Array next = Array::empty(shape, padded.dtype());
    for (std::int64_t i = 0; i < total; ++i) {
      std::int64_t from = i - before;
      if (mode == PadMode::replicate) from = std::clamp<std::int64_t>(from, 0, n - 1);
      else if (mode == PadMode::circular) from = (from + n) % n;
      else if (from < 0) from = -from;
      else if (from >= n) from = 2 * (n - 1) - from;
      next.slice(at, i, i + 1).copy_from(padded.slice(at, from, from + 1));
    }
    padded = next;
  }
  return padded;
}

}  // namespace vesal::infer
