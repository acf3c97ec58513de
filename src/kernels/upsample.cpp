#include "kernels/upsample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/parallel.h"
#include "kernels/rows.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/upsample.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A row of blocks along z.
void BlendBlocks(const float* row, const UpsampleAxis& z, float* out) {
  const hn::CappedTag<float, kBlock> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::size_t i = 0; i < z.lower.size(); ++i) {
    const auto upper = hn::Set(d, z.weight[i]), lower = hn::Set(d, 1 - z.weight[i]);
    const float *a = row + z.lower[i] * kBlock, *b = row + z.upper[i] * kBlock;
    for (std::int64_t l = 0; l < kBlock; l += lanes)
      hn::StoreU(hn::MulAdd(upper, hn::LoadU(d, b + l), hn::Mul(lower, hn::LoadU(d, a + l))), d, out + static_cast<std::int64_t>(i) * kBlock + l);
  }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(BlendBlocks);

/// A row of voxels of `lanes` numbers.
void blend_plain(const float* row, const UpsampleAxis& z, std::int64_t lanes, float* out) {
  for (std::size_t i = 0; i < z.lower.size(); ++i)
    for (std::int64_t l = 0; l < lanes; ++l) *out++ = (1 - z.weight[i]) * row[z.lower[i] * lanes + l] + z.weight[i] * row[z.upper[i] * lanes + l];
}

void copy_nearest(const float* row, const UpsampleAxis& z, std::int64_t lanes, float* out) {
  for (std::size_t i = 0; i < z.lower.size(); ++i, out += lanes) {
    if (lanes == 1) *out = row[z.lower[i]];
    else std::memcpy(out, row + z.lower[i] * kBlock, sizeof(float) * kBlock);
  }
}

/// One row of the output, the axes x and y at i and j.
class RowBlender {
 public:
  RowBlender(const Activations& in, const std::array<UpsampleAxis, 3>& axes) : in_(in), axes_(axes), lanes_(in.planar ? 1 : kBlock) {}

  void row(std::int64_t part, std::size_t i, std::size_t j, float* out) const {
    const UpsampleAxis &x = axes_[0], &y = axes_[1], &z = axes_[2];
    if (x.weight.empty()) return copy_nearest(at(part, x.lower[i], y.lower[j]), z, lanes_, out);
    const float* rows[4];
    float weights[4];
    int n = 0;
    for (const bool x_up : {false, true}) {
      if (x_up && x.lower[i] == x.upper[i]) continue;  // the last voxel, all the weight on it
      for (const bool y_up : {false, true}) {
        if (y_up && y.lower[j] == y.upper[j]) continue;
        rows[n] = at(part, x_up ? x.upper[i] : x.lower[i], y_up ? y.upper[j] : y.lower[j]);
        weights[n++] = part_weight(x, i, x_up) * part_weight(y, j, y_up);
      }
    }
    thread_local std::vector<float> blended;
    blended.resize(std::max(blended.size(), static_cast<std::size_t>(in_.extents[2] * lanes_)));
    if (n > 1) weighted_rows(rows, weights, n, in_.extents[2] * lanes_, blended.data());
    const float* row = n > 1 ? blended.data() : rows[0];
    if (in_.planar || use_scalar()) blend_plain(row, z, lanes_, out);
    else HWY_DYNAMIC_DISPATCH(BlendBlocks)(row, z, out);
  }

 private:
  static float part_weight(const UpsampleAxis& axis, std::size_t i, bool up) {
    if (axis.lower[i] == axis.upper[i]) return 1;
    return up ? axis.weight[i] : 1 - axis.weight[i];
  }
  const float* at(std::int64_t part, std::int32_t x, std::int32_t y) const {
    return in_.data + part * in_.pitch + (x * in_.extents[1] + y) * in_.extents[2] * lanes_;
  }

  const Activations& in_;
  const std::array<UpsampleAxis, 3>& axes_;
  std::int64_t lanes_;
};

/// Input voxels per output voxel.
float step_of(std::int64_t in, std::int64_t out, std::optional<double> scale) {
  return scale && *scale > 0 ? static_cast<float>(1.0 / *scale) : static_cast<float>(in) / static_cast<float>(out);
}

}  // namespace

UpsampleAxis UpsampleAxis::nearest(std::int64_t in, std::int64_t out, std::optional<double> scale) {
  UpsampleAxis axis;
  const float step = step_of(in, out, scale);
  for (std::int64_t i = 0; i < out; ++i)
    axis.lower.push_back(static_cast<std::int32_t>(std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(i) * step)), in - 1)));
  return axis;
}

UpsampleAxis UpsampleAxis::linear(std::int64_t in, std::int64_t out, std::optional<double> scale, bool align_corners) {
  UpsampleAxis axis;
  const float step = align_corners ? (out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0) : step_of(in, out, scale);
  for (std::int64_t i = 0; i < out; ++i) {
    const float place = std::max(0.0f, align_corners ? step * static_cast<float>(i) : step * (static_cast<float>(i) + 0.5f) - 0.5f);
    const auto lower = static_cast<std::int32_t>(std::min(static_cast<std::int64_t>(place), in - 1));
    axis.lower.push_back(lower);
    axis.upper.push_back(lower + (lower < in - 1 ? 1 : 0));
    axis.weight.push_back(std::min(1.0f, place - static_cast<float>(lower)));
  }
  return axis;
}

void upsample(const Activations& in, const std::array<UpsampleAxis, 3>& axes, const Activations& out) {
  const RowBlender blender(in, axes);
  const std::int64_t rows = out.extents[0] * out.extents[1], row_size = out.extents[2] * (in.planar ? 1 : kBlock);
  parallel_for(out.parts() * rows, std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, row_size)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t part = i / rows, row = i % rows;
      blender.row(part, static_cast<std::size_t>(row / out.extents[1]), static_cast<std::size_t>(row % out.extents[1]),
                  out.data + part * out.pitch + row * row_size);
    }
  });
}

}  // namespace vesal::kernels
#endif
