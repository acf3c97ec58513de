#include "infer/bricks.h"

#include <algorithm>

#include "engine/pages.h"
#include "kernels/half_sums.h"

namespace vesal::infer {
namespace {

std::vector<std::int64_t> edges_of(const Blender& blender, std::size_t axis) {
  const std::int64_t extent = blender.whole().size(axis), window = blender.window(0).size(axis);
  std::vector<std::int64_t> all{extent};
  for (const std::int64_t s : blender.starts(axis)) all.push_back(s), all.push_back(s + window);
  std::sort(all.begin(), all.end());
  std::vector<std::int64_t> edges{0};
  const std::int64_t thinnest = std::max<std::int64_t>(1, window / 8);
  const auto go_to = [&](std::int64_t at) {
    const std::int64_t from = edges.back(), parts = std::max<std::int64_t>(1, (at - from) / thinnest / 2);
    for (std::int64_t i = 1; i <= parts; ++i) edges.push_back(from + (at - from) * i / parts);
  };
  for (const std::int64_t at : all)
    if (at - edges.back() >= thinnest) go_to(at);
  if (edges.size() == 1) edges.push_back(extent);
  edges.back() = extent;
  return edges;
}

/// From [channels, region of `from`] to [channels, region of `to`], what both have in common.
template <class T, class Row>
void copy_common(const T* source, const Region& from, float* target, const Region& to, std::int64_t channels, Row row) {
  const Region common = from.intersection(to);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t x = common.begin[0]; x < common.end[0]; ++x)
      for (std::int64_t y = common.begin[1]; y < common.end[1]; ++y) {
        const auto place = [&](const Region& r) {
          return c * r.voxels() + ((x - r.begin[0]) * r.size(1) + y - r.begin[1]) * r.size(2) + common.begin[2] - r.begin[2];
        };
        row(source + place(from), common.size(2), target + place(to));
      }
}

/// Zeros. Large blocks come straight from the system and go back to it at once: they would leave holes in the heap.
Array zeros(const Shape& shape, DType type) {
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  const std::size_t bytes = static_cast<std::size_t>(numel_of(shape)) * size_of(type);
  if (bytes < kLarge) return Array::zeros(shape, type);
  const std::shared_ptr<float> memory = engine::pages((bytes + sizeof(float) - 1) / sizeof(float));
  return Array::wrap(memory.get(), shape, type, memory);
}

}  // namespace

BrickLayout::BrickLayout(const Blender& blender) {
  for (std::size_t axis = 0; axis < 3; ++axis) edges_[axis] = edges_of(blender, axis);
}

Region BrickLayout::region(std::int64_t brick) const {
  Region r;
  for (std::size_t axis = 3; axis-- > 0; brick /= extent(axis)) {
    const auto i = static_cast<std::size_t>(brick % extent(axis));
    r.begin[axis] = edges_[axis][i], r.end[axis] = edges_[axis][i + 1];
  }
  return r;
}

std::vector<std::int64_t> BrickLayout::touched(const Region& region) const {
  std::array<std::int64_t, 3> first{}, last{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (region.size(axis) == 0) return {};
    const auto& edges = edges_[axis];
    first[axis] = std::upper_bound(edges.begin(), edges.end(), region.begin[axis]) - edges.begin() - 1;
    last[axis] = std::lower_bound(edges.begin(), edges.end(), region.end[axis]) - edges.begin();
  }
  std::vector<std::int64_t> bricks;
  for (std::int64_t x = first[0]; x < last[0]; ++x)
    for (std::int64_t y = first[1]; y < last[1]; ++y)
      for (std::int64_t z = first[2]; z < last[2]; ++z) bricks.push_back((x * extent(1) + y) * extent(2) + z);
  return bricks;
}

Bricks::Bricks(Blender blender, std::int64_t channels, DType kept)
    : blender_(std::move(blender)), layout_(blender_), channels_(channels), kept_(kept), over_image_(blender_.over_image()) {
  for (std::size_t axis = 3 - blender_.axes(); axis < 3; ++axis) shape_.push_back(over_image_.size(axis));
  bricks_.resize(static_cast<std::size_t>(layout_.count()));
}

Region Bricks::region_of(const image::Box& box) const {
  Region r;
  for (std::size_t i = 0; i < box.begin.size(); ++i) {
    const std::size_t axis = 3 - box.begin.size() + i;
    r.begin[axis] = over_image_.begin[axis] + box.begin[i];
    r.end[axis] = over_image_.begin[axis] + box.end[i];
  }
  return r;
}

std::vector<std::vector<std::int64_t>> Bricks::edges() const {
  std::vector<std::vector<std::int64_t>> edges;
  for (std::size_t axis = 3 - blender_.axes(); axis < 3; ++axis) {
    edges.emplace_back();
    for (const std::int64_t at : layout_.edges(axis))
      if (at > over_image_.begin[axis]) edges.back().push_back(std::min(at, over_image_.end[axis]) - over_image_.begin[axis]);
  }
  return edges;
}

std::uint64_t Bricks::bytes(std::int64_t brick) const {
  return static_cast<std::uint64_t>(channels_ * layout_.region(brick).voxels()) * size_of(kept_);
}

Array Bricks::read(const image::Box& box) const {
  const Region wanted = region_of(box);
  Shape shape{channels_};
  for (std::size_t i = 0; i < box.begin.size(); ++i) shape.push_back(box.size(static_cast<int>(i)));
  Array out = Array::empty(shape, DType::f32);
  for (const std::int64_t b : layout_.touched(wanted)) {
    const Brick& brick = bricks_[static_cast<std::size_t>(b)];
    if (!brick.finished) throw Error(ErrorKind::internal, "voxels " + to_string(box.begin) + " of the network's output are not there yet");
    float* to = out.data<float>();
    if (kept_ == DType::f16) copy_common(brick.sums.data<Half>(), layout_.region(b), to, wanted, channels_, kernels::half_to_float);
    else
      copy_common(brick.sums.data<float>(), layout_.region(b), to, wanted, channels_,
                  [](const float* from, std::int64_t n, float* target) { std::copy(from, from + n, target); });
  }
  return out;
}

void Bricks::add(std::int64_t b, std::int64_t window, std::int64_t first, const Array& planes) {
  Brick& brick = bricks_[static_cast<std::size_t>(b)];
  const Region region = layout_.region(b);
  if (!brick.sums.defined()) {
    const Shape shape{channels_, region.size(0), region.size(1), region.size(2)};
    brick.sums = zeros(shape, kept_);
    if (blender_.window(window).contains(region)) brick.fresh_for = window;
  }
  blender_.add(window, first, planes, region, brick.sums, brick.fresh_for == window);
}

void Bricks::finish(std::int64_t b) {
  Brick& brick = bricks_[static_cast<std::size_t>(b)];
  if (kept_ == DType::f32) blender_.divide(layout_.region(b), brick.sums);
  brick.finished = true;
}

void Bricks::release(std::int64_t b) { bricks_[static_cast<std::size_t>(b)] = {}; }

}  // namespace vesal::infer
