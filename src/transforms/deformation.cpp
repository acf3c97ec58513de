#include "transforms/deformation.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "kernels/interpolate_table.h"

namespace vesal::transforms {
namespace {

using image::Affine;
using image::Box;

/// Number `n` of the SplitMix64 sequence of a seed, as the upper 24 bits in [-1, 1).
float noise_at(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return static_cast<float>(static_cast<std::int64_t>(z >> 40) - (1 << 23)) / static_cast<float>(1 << 23);
}

Shape with_channels(std::int64_t channels, const Box& box) {
  Shape shape{channels};
  for (std::size_t i = 0; i < box.begin.size(); ++i) shape.push_back(box.end[i] - box.begin[i]);
  return shape;
}

class NoiseSource : public image::VoxelSource {
 public:
  NoiseSource(std::uint64_t seed, std::int64_t channels, Shape shape) : seed_(seed), channels_(channels), shape_(std::move(shape)) {}
  std::int64_t channels() const override { return channels_; }
  const Shape& spatial_shape() const override { return shape_; }
  DType dtype() const override { return DType::f32; }
  Array read(const Box& box) const override {
    Array out = Array::empty(with_channels(channels_, box), DType::f32);
    if (out.numel() == 0) return out;
    const std::size_t rank = shape_.size();
    const std::int64_t length = box.size(static_cast<int>(rank) - 1);
    float* to = out.data<float>();
    parallel_for(out.numel() / length, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        std::int64_t left = row, index = 0, step = shape_[rank - 1];
        for (std::size_t k = rank - 1; k-- > 0;) {
          const std::int64_t size = box.size(static_cast<int>(k));
          index += (box.begin[k] + left % size) * step;
          left /= size, step *= shape_[k];
        }
        index += left * step + box.begin[rank - 1];
        for (std::int64_t i = 0; i < length; ++i) to[row * length + i] = noise_at(seed_, static_cast<std::uint64_t>(index + i));
      }
    });
    return out;
  }

 private:
  std::uint64_t seed_;
  std::int64_t channels_;
  Shape shape_;
};

/// matrix * (v - middle + magnitude * offsets[v])
class MovedSource : public image::VoxelSource {
 public:
  MovedSource(image::VoxelSourcePtr offsets, double magnitude, const Affine& matrix)
      : offsets_(std::move(offsets)), magnitude_(static_cast<float>(magnitude)), matrix_(matrix) {}
  std::int64_t channels() const override { return 3; }
  const Shape& spatial_shape() const override { return offsets_->spatial_shape(); }
  DType dtype() const override { return DType::f32; }
  Box needs(const Box& box) const override { return offsets_->needs(box); }
  Array read(const Box& box) const override {
    const Array from = offsets_->read(box).to(DType::f32).contiguous();
    Array out = Array::empty(from.shape(), DType::f32);
    const std::int64_t ny = from.size(2), nz = from.size(3), volume = from.size(1) * ny * nz;
    std::array<float, 3> first;
    for (int r = 0; r < 3; ++r) first[r] = static_cast<float>(box.begin[r]) - static_cast<float>(spatial_shape()[r] - 1) / 2;
    const float* in = from.data<float>();
    float* to = out.data<float>();
    parallel_for(from.size(1) * ny, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const float x = first[0] + static_cast<float>(row / ny), y = first[1] + static_cast<float>(row % ny);
        for (std::int64_t i = row * nz; i < (row + 1) * nz; ++i) {
          const double u = x + magnitude_ * in[i], v = y + magnitude_ * in[volume + i],
                       w = first[2] + static_cast<float>(i - row * nz) + magnitude_ * in[2 * volume + i];
          for (int r = 0; r < 3; ++r)
            to[r * volume + i] = static_cast<float>(matrix_(r, 0) * u + matrix_(r, 1) * v + matrix_(r, 2) * w + matrix_(r, 3));
        }
      }
    });
    return out;
  }

 private:
  image::VoxelSourcePtr offsets_;
  float magnitude_;
  Affine matrix_;
};

std::array<std::int64_t, 3> three(const Shape& shape) {
  std::array<std::int64_t, 3> out{1, 1, 1};
  std::copy(shape.begin(), shape.end(), out.end() - static_cast<std::ptrdiff_t>(shape.size()));
  return out;
}

/// Reads one image at a slab of places; `out` is the slab's place in the result, whose channels are `pitch` apart.
void read_at(const Array& places, const Array& voxels, const SampleOptions& options, float* out, std::int64_t pitch) {
  const int rank = places.dim() - 1;
  kernels::VolumeView in{voxels.raw(), DType::f32, voxels.size(0), voxels.strides()[0], {1, 1, 1}, {0, 0, 0}};
  kernels::DenseSampling sampling;
  for (int i = 0; i < rank; ++i) {
    const int r = 3 - rank + i;
    in.size[r] = voxels.size(i + 1), in.stride[r] = voxels.strides()[i + 1];
    sampling.place[r] = places.select(0, i).data<float>();
  }
  sampling.extent = three(Shape(places.shape().begin() + 1, places.shape().end()));
  sampling.size = in.size;
  sampling.padding = options.padding;
  sampling.interpolation =
      rank == 2 && options.interpolation == kernels::Interpolation::nearest ? kernels::Interpolation::nearest_even : options.interpolation;
  kernels::resample_dense(in, sampling, out, pitch);
}

}  // namespace

image::VoxelSourcePtr uniform_noise(std::uint64_t seed, std::int64_t channels, Shape shape) {
  return std::make_shared<NoiseSource>(seed, channels, std::move(shape));
}

image::VoxelSourcePtr smoothed_places(image::VoxelSourcePtr offsets, double sigma, double magnitude, const Affine& matrix) {
  std::vector<kernels::AxisTable> tables;
  for (const std::int64_t n : offsets->spatial_shape()) tables.push_back(kernels::gaussian_table(n, sigma, kernels::GaussianKernel::erf, 3));
  return std::make_shared<MovedSource>(Resampling::separable(std::move(tables)).apply(std::move(offsets)), magnitude, matrix);
}

Shape control_shape(const Shape& shape, const std::array<double, 2>& spacing) {
  Shape out;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!(spacing[i] > 0 && spacing[i] <= 65536))
      throw Error(ErrorKind::config, "spacing " + std::to_string(spacing[i]) + ": want 0 to 65536 pixels");
    const float half = (static_cast<float>(shape[i]) - 1.f) / static_cast<float>(2 * spacing[i]);
    const double points = shape[i] % 2 == 0 ? std::ceil(half + 0.5f) * 2. + 2 : std::ceil(half) * 2. + 3;
    if (!(points <= 1 << 26)) throw Error(ErrorKind::config, "spacing " + std::to_string(spacing[i]) + " asks for too many control points");
    out.push_back(static_cast<std::int64_t>(points));
  }
  if (out[0] > (1 << 26) / out[1]) throw Error(ErrorKind::config, "the spacing asks for more than 2^26 control points");
  return out;
}

image::VoxelSourcePtr control_places(const Array& offsets, const std::array<double, 2>& spacing, double magnitude, const Affine& matrix,
                                     const Shape& shape) {
  const std::int64_t nx = offsets.size(1), ny = offsets.size(2);
  const Array from = offsets.to(DType::f32).contiguous();
  Array points = Array::empty(from.shape(), DType::f32);
  const float *dx = from.data<float>(), *dy = dx + nx * ny;
  float* to = points.data<float>();
  const auto place = [&](std::int64_t i, std::int64_t n, double by) {
    return static_cast<float>((static_cast<double>(i) - static_cast<double>(n - 1) / 2) * by);
  };
  for (std::int64_t i = 0; i < nx * ny; ++i) {
    const double x = place(i / ny, nx, spacing[0]) + static_cast<float>(magnitude * dx[i]);
    const double y = place(i % ny, ny, spacing[1]) + static_cast<float>(magnitude * dy[i]);
    for (int r = 0; r < 2; ++r) to[r * nx * ny + i] = static_cast<float>(matrix(r, 0) * x + matrix(r, 1) * y + matrix(r, 3));
  }
  std::vector<kernels::AxisTable> tables;
  for (std::size_t k = 0; k < 2; ++k) {
    const std::int64_t n = points.size(static_cast<int>(k) + 1), all = static_cast<std::int64_t>(std::floor(static_cast<double>(n) * spacing[k]));
    const std::int64_t first = std::max<std::int64_t>(0, all / 2 - shape[k] / 2);
    tables.push_back(kernels::interpolate_table(n, all, kernels::ResizeMode::cubic, false).part(first, first + shape[k], 0, n));
  }
  return Resampling::separable(std::move(tables)).apply(image::source_of(points));
}

std::vector<Array> deform(const image::VoxelSource& places, const std::vector<Deformed>& images, std::int64_t planes) {
  constexpr std::int64_t kSlab = std::int64_t{1} << 22;
  const Shape& shape = places.spatial_shape();
  std::vector<Array> in, out;
  for (const Deformed& image : images) {
    if (image.voxels.dim() != static_cast<int>(shape.size()) + 1)
      throw Error(ErrorKind::shape, std::to_string(shape.size()) + " spatial axes wanted, the image has " + std::to_string(image.voxels.dim() - 1));
    for (int i = 1; i < image.voxels.dim(); ++i)
      if (image.voxels.size(i) == 0) throw Error(ErrorKind::shape, "an image of " + to_string(image.voxels.shape()) + " has no voxels to deform");
    Shape result = shape;
    result.insert(result.begin(), image.voxels.size(0));
    in.push_back(image.voxels.to(DType::f32));
    out.push_back(Array::empty(result, DType::f32));
  }
  const std::int64_t volume = numel_of(shape);
  if (volume == 0) return out;
  const std::int64_t plane = volume / shape[0];
  planes = std::clamp<std::int64_t>(std::max(planes, kSlab / plane), 1, shape[0]);
  for (std::int64_t x = 0; x < shape[0]; x += planes) {
    Box box{Shape(shape.size(), 0), shape};
    box.begin[0] = x, box.end[0] = std::min(shape[0], x + planes);
    const Array slab = places.read(box).contiguous();
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i].size(0) > 0) read_at(slab, in[i], images[i].options, out[i].data<float>() + x * plane, volume);
  }
  return out;
}

}  // namespace vesal::transforms
