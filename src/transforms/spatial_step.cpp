#include "transforms/spatial_step.h"

#include <algorithm>

namespace vesal::transforms {
namespace {

using image::Affine;
using image::Box;
using image::VoxelSourcePtr;

Array rearranged(Array a, const AxisMap& map) {
  std::vector<int> axes{0};
  for (const int axis : map.from) axes.push_back(axis + 1);
  a = a.permute(axes);
  for (std::size_t k = 0; k < map.flip.size(); ++k)
    if (map.flip[k]) a = a.flip(static_cast<int>(k) + 1);
  return a;
}

Shape rearranged(const Shape& in, const AxisMap& map) {
  Shape out;
  for (const int axis : map.from) out.push_back(in[axis]);
  return out;
}

AxisMap inverse_of(const AxisMap& map) {
  AxisMap inverse{std::vector<int>(map.from.size()), std::vector<bool>(map.from.size())};
  for (std::size_t k = 0; k < map.from.size(); ++k) inverse.from[map.from[k]] = static_cast<int>(k), inverse.flip[map.from[k]] = map.flip[k];
  return inverse;
}

class RearrangedSource : public image::VoxelSource {
 public:
  RearrangedSource(VoxelSourcePtr from, AxisMap map)
      : from_(std::move(from)), map_(std::move(map)), shape_(rearranged(from_->spatial_shape(), map_)) {}
  std::int64_t channels() const override { return from_->channels(); }
  const Shape& spatial_shape() const override { return shape_; }
  DType dtype() const override { return from_->dtype(); }
  Array read(const Box& box) const override { return rearranged(from_->read(inner(box)), map_); }
  Box needs(const Box& box) const override { return from_->needs(inner(box)); }

 private:
  Box inner(const Box& box) const {
    Box inner = box;
    for (std::size_t k = 0; k < shape_.size(); ++k) {
      inner.begin[map_.from[k]] = map_.flip[k] ? shape_[k] - box.end[k] : box.begin[k];
      inner.end[map_.from[k]] = map_.flip[k] ? shape_[k] - box.begin[k] : box.end[k];
    }
    return inner;
  }

  VoxelSourcePtr from_;
  AxisMap map_;
  Shape shape_;
};

class WindowSource : public image::VoxelSource {
 public:
  WindowSource(VoxelSourcePtr from, Shape begin, Shape shape) : from_(std::move(from)), begin_(std::move(begin)), shape_(std::move(shape)) {}
  std::int64_t channels() const override { return from_->channels(); }
  const Shape& spatial_shape() const override { return shape_; }
  DType dtype() const override { return from_->dtype(); }
  Box needs(const Box& box) const override { return from_->needs(inner_of(box)); }
  Array read(const Box& box) const override {
    const Shape& have = from_->spatial_shape();
    const Box inner = inner_of(box);
    bool all = true, none = false;
    for (std::size_t i = 0; i < have.size(); ++i) {
      all = all && inner.size(static_cast<int>(i)) == box.size(static_cast<int>(i));
      none = none || inner.size(static_cast<int>(i)) == 0;
    }
    if (all) return from_->read(inner);
    Shape shape{channels()};
    for (std::size_t i = 0; i < have.size(); ++i) shape.push_back(box.size(static_cast<int>(i)));
    Array out = Array::zeros(shape, dtype());
    if (none) return out;
    Array part = out;
    for (std::size_t i = 0; i < have.size(); ++i) {
      const std::int64_t at = inner.begin[i] - begin_[i] - box.begin[i];
      part = part.slice(static_cast<int>(i) + 1, at, at + inner.size(static_cast<int>(i)));
    }
    part.copy_from(from_->read(inner));
    return out;
  }

 private:
  /// The part of the box where there are voxels, on their grid.
  Box inner_of(const Box& box) const {
    const Shape& have = from_->spatial_shape();
    Box inner = box;
    for (std::size_t i = 0; i < have.size(); ++i) {
      inner.begin[i] = std::clamp<std::int64_t>(box.begin[i] + begin_[i], 0, have[i]);
      inner.end[i] = std::clamp<std::int64_t>(box.end[i] + begin_[i], inner.begin[i], have[i]);
    }
    return inner;
  }

  VoxelSourcePtr from_;
  Shape begin_, shape_;
};

class RearrangeStep : public Step {
 public:
  RearrangeStep(std::string name, const Image& before, const AxisMap& map)
      : Step(std::move(name), before.affine, spatial_shape(before), rearranged(spatial_shape(before), map)), inverse_(inverse_of(map)) {}

 protected:
  VoxelSourcePtr back(VoxelSourcePtr voxels, bool) const override { return std::make_shared<RearrangedSource>(std::move(voxels), inverse_); }

 private:
  AxisMap inverse_;
};

class WindowStep : public Step {
 public:
  WindowStep(std::string name, const Image& before, Shape begin, Shape shape)
      : Step(std::move(name), before.affine, spatial_shape(before), std::move(shape)), begin_(std::move(begin)) {}

 protected:
  VoxelSourcePtr back(VoxelSourcePtr voxels, bool) const override {
    Shape begin;
    for (const std::int64_t b : begin_) begin.push_back(-b);
    return window_of(std::move(voxels), std::move(begin), input_shape());
  }

 private:
  Shape begin_;
};

}  // namespace

Shape spatial_shape(const Image& image) {
  Shape shape = image.shape();
  if (shape.size() < 2) throw Error(ErrorKind::shape, "an image with a channel axis and spatial axes wanted, got " + to_string(shape));
  shape.erase(shape.begin());
  return shape;
}

Affine of_rank(const Affine& a, int rank) {
  Affine out;
  for (int r = 0; r < std::min(rank, 3); ++r) {
    for (int c = 0; c < std::min(rank, 3); ++c) out(r, c) = a(r, c);
    if (rank > 1) out(r, 3) = a(r, 3);
  }
  return out;
}

Affine AxisMap::matrix(const Shape& in) const {
  Affine m;
  for (std::size_t i = 0; i < std::min<std::size_t>(in.size(), 3); ++i) m(static_cast<int>(i), static_cast<int>(i)) = 0;
  for (std::size_t k = 0; k < from.size(); ++k) {
    if (from[k] > 2 || k > 2) throw Error(ErrorKind::unsupported, "an affine has three axes; the image has " + std::to_string(in.size()));
    m(from[k], static_cast<int>(k)) = flip[k] ? -1 : 1;
    m(from[k], 3) = flip[k] ? static_cast<double>(in[from[k]] - 1) : 0;
  }
  return m;
}

Image rearrange(const Image& image, const AxisMap& map, const std::string& name) {
  Image out = image.with(rearranged(image.array(), map));
  out.affine = image.affine * map.matrix(spatial_shape(image));
  out.trail.push_back(std::make_shared<RearrangeStep>(name, image, map));
  return out;
}

Image with_window(const Image& image, Array voxels, const Shape& begin, const std::string& name) {
  Image out = image.with(std::move(voxels));
  Affine shift;
  for (std::size_t i = 0; i < std::min<std::size_t>(begin.size(), 3); ++i) shift(static_cast<int>(i), 3) = static_cast<double>(begin[i]);
  out.affine = image.affine * shift;
  out.trail.push_back(std::make_shared<WindowStep>(name, image, begin, spatial_shape(out)));
  return out;
}

Image crop(const Image& image, const Shape& begin, const Shape& end, const std::string& name) {
  Array part = image.array();
  for (std::size_t i = 0; i < begin.size(); ++i) part = part.slice(static_cast<int>(i) + 1, begin[i], end[i]);
  return with_window(image, std::move(part), begin, name);
}

VoxelSourcePtr window_of(VoxelSourcePtr voxels, Shape begin, Shape shape) {
  return std::make_shared<WindowSource>(std::move(voxels), std::move(begin), std::move(shape));
}

VoxelSourcePtr Step::undo(VoxelSourcePtr voxels, bool nearest) const {
  if (voxels->spatial_shape() != output_shape_)
    throw Error(ErrorKind::geometry, name_ + " cannot be taken back: it left a grid of " + to_string(output_shape_) + ", these voxels are " +
                                         to_string(voxels->spatial_shape()));
  return back(std::move(voxels), nearest);
}

}  // namespace vesal::transforms
