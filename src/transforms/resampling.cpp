#include "transforms/resampling.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace vesal::transforms {
namespace {

using image::Affine;
using image::Box;
using kernels::AffineSampling;
using kernels::AxisTable;
using Triple = std::array<std::int64_t, 3>;

/// Spatial extents with leading ones, up to three.
Triple padded(const Shape& shape) {
  if (shape.empty() || shape.size() > 3)
    throw Error(ErrorKind::unsupported, "resampling wants 1 to 3 spatial axes, got " + std::to_string(shape.size()));
  Triple t{1, 1, 1};
  std::copy(shape.begin(), shape.end(), t.end() - static_cast<std::ptrdiff_t>(shape.size()));
  return t;
}

/// A [C, spatial...] array as the kernels see it.
kernels::VolumeView view_of(const Array& a) {
  const int rank = a.dim() - 1;
  kernels::VolumeView v{a.raw(), a.dtype(), a.size(0), a.strides()[0], {1, 1, 1}, {0, 0, 0}};
  for (int i = 0; i < rank; ++i) v.size[3 - rank + i] = a.size(i + 1), v.stride[3 - rank + i] = a.strides()[i + 1];
  return v;
}

/// The map between coordinates in [-1, 1] of both grids, computed in MONAI's order of operations (to_norm_affine).
AffineSampling sampling_of(const Affine& map, int rank, const Triple& in, const Triple& out, const SampleOptions& options) {
  AffineSampling s;
  Affine to_unit, from_unit, voxel_map;
  const int first = 3 - rank;
  for (int r = 0; r < 3; ++r) {
    const double n = static_cast<double>(in[r]), m = static_cast<double>(out[r]);
    to_unit(r, r) = 2.0 / n, to_unit(r, 3) = 1.0 / n - 1.0;
    from_unit(r, r) = 1 / (2.0 / m), from_unit(r, 3) = -(1.0 / m - 1.0) * from_unit(r, r);
    for (int c = 0; c < 3; ++c) voxel_map(r, c) = r < first || c < first ? (r == c ? 1 : 0) : map(r - first, c - first);
    voxel_map(r, 3) = r < first ? 0 : map(r - first, 3);
    s.grid[r] = kernels::grid_coordinates(out[r], options.align_corners);
  }
  const Affine theta = to_unit * voxel_map * from_unit;
  for (int r = 0; r < 3; ++r) s.theta[r] = theta.m[r];
  s.size = in;
  s.interpolation =
      rank == 2 && options.interpolation == kernels::Interpolation::nearest ? kernels::Interpolation::nearest_even : options.interpolation;
  s.padding = options.padding;
  s.align_corners = options.align_corners;
  return s;
}

/// If every input axis depends on one output axis only: for each output axis the input axis it runs along.
std::optional<std::array<int, 3>> axis_pairs(const AffineSampling& s) {
  std::array<int, 3> pairs{-1, -1, -1};
  for (int r = 0; r < 3; ++r) {
    int main = 0;
    for (int c = 1; c < 3; ++c)
      if (std::fabs(s.theta[r][c]) > std::fabs(s.theta[r][main])) main = c;
    for (int c = 0; c < 3; ++c)
      if (c != main && std::fabs(s.theta[r][c]) * static_cast<double>(s.size[r]) / 2 > 1e-7) return std::nullopt;
    if (pairs[main] >= 0) return std::nullopt;
    pairs[main] = r;
  }
  return pairs;
}

/// The input voxels a box of outputs reads.
void input_range(const AffineSampling& s, const Triple& begin, const Triple& extent, Triple& low, Triple& high) {
  low = {0, 0, 0}, high = s.size;
  if (s.padding == kernels::Padding::reflection) return;
  std::array<double, 3> smallest{1e300, 1e300, 1e300}, largest{-1e300, -1e300, -1e300};
  for (int k = 0; k < 8; ++k) {
    for (int r = 0; r < 3; ++r) {
      double p;
      s.positions(r, {begin[0] + (k & 1 ? extent[0] - 1 : 0), begin[1] + (k & 2 ? extent[1] - 1 : 0), begin[2] + (k & 4 ? extent[2] - 1 : 0)}, 1, &p);
      smallest[r] = std::min(smallest[r], p), largest[r] = std::max(largest[r], p);
    }
  }
  for (int r = 0; r < 3; ++r) {
    const double last = static_cast<double>(s.size[r] - 1);
    low[r] = static_cast<std::int64_t>(std::clamp(std::floor(smallest[r]) - 1, 0.0, last));
    high[r] = static_cast<std::int64_t>(std::clamp(std::ceil(largest[r]) + 1, 0.0, last)) + 1;
  }
}

Box box_of(const Triple& low, const Triple& high, std::size_t rank) {
  return {Shape(low.end() - static_cast<std::ptrdiff_t>(rank), low.end()), Shape(high.end() - static_cast<std::ptrdiff_t>(rank), high.end())};
}

Triple first_voxel(const Box& box) {
  Triple first{0, 0, 0};
  std::copy(box.begin.begin(), box.begin.end(), first.end() - static_cast<std::ptrdiff_t>(box.begin.size()));
  return first;
}

Triple extent_of(const Box& box) {
  Shape extent;
  for (std::size_t i = 0; i < box.begin.size(); ++i) extent.push_back(box.size(static_cast<int>(i)));
  return padded(extent);
}

class ResampledSource : public image::VoxelSource {
 public:
  ResampledSource(Resampling resampling, image::VoxelSourcePtr from) : resampling_(std::move(resampling)), from_(std::move(from)) {}
  std::int64_t channels() const override { return from_->channels(); }
  const Shape& spatial_shape() const override { return resampling_.out_shape(); }
  DType dtype() const override { return DType::f32; }
  Array read(const Box& box) const override { return resampling_.read(*from_, box); }
  Box needs(const Box& box) const override { return from_->needs(resampling_.needs(box)); }

 private:
  Resampling resampling_;
  image::VoxelSourcePtr from_;
};

}  // namespace

SampleOptions sample_options(const std::string& mode, const std::string& padding, bool align_corners) {
  SampleOptions o;
  o.align_corners = align_corners;
  if (mode == "nearest") o.interpolation = kernels::Interpolation::nearest;
  else if (mode != "bilinear") throw Error(ErrorKind::config, "mode '" + mode + "': bilinear or nearest wanted");
  if (padding == "zeros") o.padding = kernels::Padding::zeros;
  else if (padding == "reflection") o.padding = kernels::Padding::reflection;
  else if (padding != "border") throw Error(ErrorKind::config, "padding_mode '" + padding + "': zeros, border or reflection wanted");
  return o;
}

Resampling Resampling::affine(const Affine& voxel_map, Shape in, Shape out, SampleOptions options) {
  Resampling r;
  auto sampling = std::make_shared<AffineSampling>(sampling_of(voxel_map, static_cast<int>(in.size()), padded(in), padded(out), options));
  if (const auto pairs = axis_pairs(*sampling)) {
    auto plan = std::make_shared<Separable>();
    plan->axis = *pairs;
    for (int k = 0; k < 3; ++k) {
      const int axis = plan->axis[k];
      plan->tables[k] = kernels::grid_sample_table(sampling->size[axis], padded(out)[k], sampling->theta[axis][k], sampling->theta[axis][3],
                                                   sampling->interpolation, sampling->padding, sampling->align_corners);
    }
    r.plan_ = std::shared_ptr<const Separable>(std::move(plan));
  } else {
    r.plan_ = std::shared_ptr<const AffineSampling>(std::move(sampling));
  }
  r.in_ = std::move(in);
  r.out_ = std::move(out);
  return r;
}

Resampling Resampling::separable(std::vector<AxisTable> tables) {
  Resampling r;
  for (const AxisTable& t : tables) r.in_.push_back(t.in), r.out_.push_back(t.out);
  padded(r.in_);
  auto plan = std::make_shared<Separable>();
  plan->axis = {0, 1, 2};
  plan->tables.fill(kernels::identity_table(1));
  std::move(tables.begin(), tables.end(), plan->tables.end() - static_cast<std::ptrdiff_t>(tables.size()));
  r.plan_ = std::shared_ptr<const Separable>(std::move(plan));
  return r;
}

Array Resampling::apply(const Array& voxels) const { return read(*image::source_of(voxels), {Shape(out_.size(), 0), out_}); }

image::VoxelSourcePtr Resampling::apply(image::VoxelSourcePtr voxels) const { return std::make_shared<ResampledSource>(*this, std::move(voxels)); }

Array Resampling::read(const image::VoxelSource& voxels, const Box& box) const {
  if (voxels.spatial_shape() != in_)
    throw Error(ErrorKind::geometry, "voxels of " + to_string(voxels.spatial_shape()) + " where " + to_string(in_) + " are to be resampled");
  const Triple begin = first_voxel(box), extent = extent_of(box);
  Shape out_shape{voxels.channels()};
  for (std::size_t i = 0; i < box.begin.size(); ++i) out_shape.push_back(box.size(static_cast<int>(i)));
  Array out = Array::empty(out_shape, DType::f32);
  if (out.numel() == 0) return out;

  const Box from = needs(box);
  Triple low{0, 0, 0}, high{1, 1, 1};
  std::copy(from.begin.begin(), from.begin.end(), low.end() - static_cast<std::ptrdiff_t>(in_.size()));
  std::copy(from.end.begin(), from.end.end(), high.end() - static_cast<std::ptrdiff_t>(in_.size()));
  const Array in = voxels.read(from);
  if (const auto* plan = std::get_if<std::shared_ptr<const Separable>>(&plan_)) {
    const std::array<int, 3>& axis = (*plan)->axis;
    std::array<AxisTable, 3> tables;
    for (int k = 0; k < 3; ++k) tables[k] = (*plan)->tables[k].part(begin[k], begin[k] + extent[k], low[axis[k]], high[axis[k]] - low[axis[k]]);
    const kernels::VolumeView whole = view_of(in);
    kernels::VolumeView turned = whole;
    for (int k = 0; k < 3; ++k) turned.size[k] = whole.size[axis[k]], turned.stride[k] = whole.stride[axis[k]];
    kernels::resample_separable(turned, tables, out.data<float>());
  } else {
    const Array floats = in.to(DType::f32);
    kernels::resample_affine(view_of(floats), low, *std::get<std::shared_ptr<const AffineSampling>>(plan_), begin, extent, out.data<float>());
  }
  return out;
}

Box Resampling::needs(const Box& box) const {
  const Triple begin = first_voxel(box), extent = extent_of(box);
  Triple low{0, 0, 0}, high{0, 0, 0};
  if (std::find(extent.begin(), extent.end(), 0) != extent.end()) return box_of(low, high, in_.size());
  if (const auto* plan = std::get_if<std::shared_ptr<const Separable>>(&plan_)) {
    for (int k = 0; k < 3; ++k) {
      const AxisTable& table = (*plan)->tables[k];
      std::tie(low[(*plan)->axis[k]], high[(*plan)->axis[k]]) = table.part(begin[k], begin[k] + extent[k], 0, table.in).range();
    }
  } else {
    input_range(*std::get<std::shared_ptr<const AffineSampling>>(plan_), begin, extent, low, high);
  }
  return box_of(low, high, in_.size());
}

}  // namespace vesal::transforms
