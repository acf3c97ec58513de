#include "kernels/channel_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/channel_softmax.cpp"
#include <hwy/foreach_target.h>
// Highway's own include guard knows no order: math after the list of targets.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) for x <= 0 or NaN.
template <class D, class V>
HWY_INLINE V ExpBelow(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, x));
}

/// Voxels [begin, begin + count) of blocks; lanes past the last channel get zeros.
void SoftmaxBlocks(const Activations& in, const Activations& out, std::int64_t begin, std::int64_t count) {
  const hn::CappedTag<float, kBlock> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), groups = blocks(in.channels) * (kBlock / lanes), per_block = kBlock / lanes;
  const auto bottom = hn::Set(d, -std::numeric_limits<float>::infinity());
  const auto used = [&](std::int64_t g)
                        HWY_ATTR { return hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::int64_t>(in.channels - g * lanes, 0, lanes))); };
  for (std::int64_t v = begin * kBlock; v < (begin + count) * kBlock; v += kBlock) {
    auto top = bottom;
    for (std::int64_t g = 0; g < groups; ++g)
      top = hn::Max(top, hn::IfThenElse(used(g), hn::LoadU(d, in.data + g / per_block * in.pitch + v + g % per_block * lanes), bottom));
    top = hn::MaxOfLanes(d, top);
    auto sum = hn::Zero(d);
    for (std::int64_t g = 0; g < groups; ++g) {
      const auto x = hn::LoadU(d, in.data + g / per_block * in.pitch + v + g % per_block * lanes);
      const auto e = hn::IfThenElseZero(used(g), ExpBelow(d, hn::Sub(x, top)));
      hn::StoreU(e, d, out.data + g / per_block * out.pitch + v + g % per_block * lanes);
      sum = hn::Add(sum, e);
    }
    sum = hn::SumOfLanes(d, sum);
    for (std::int64_t g = 0; g < groups; ++g) {
      float* to = out.data + g / per_block * out.pitch + v + g % per_block * lanes;
      hn::StoreU(hn::IfThenElseZero(used(g), hn::Div(hn::LoadU(d, to), sum)), d, to);
    }
  }
}

/// Voxels [begin, begin + count) of planes: as many as there are whole vectors; returns how many.
std::int64_t SoftmaxPlanes(const Activations& in, const Activations& out, std::int64_t begin, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), end = begin + count / lanes * lanes;
  for (std::int64_t v = begin; v < end; v += lanes) {
    auto top = hn::LoadU(d, in.data + v);
    for (std::int64_t c = 1; c < in.channels; ++c) top = hn::Max(top, hn::LoadU(d, in.data + c * in.pitch + v));
    auto sum = hn::Zero(d);
    for (std::int64_t c = 0; c < in.channels; ++c) {
      const auto e = ExpBelow(d, hn::Sub(hn::LoadU(d, in.data + c * in.pitch + v), top));
      hn::StoreU(e, d, out.data + c * out.pitch + v);
      sum = hn::Add(sum, e);
    }
    for (std::int64_t c = 0; c < in.channels; ++c) {
      float* to = out.data + c * out.pitch + v;
      hn::StoreU(hn::Div(hn::LoadU(d, to), sum), d, to);
    }
  }
  return end - begin;
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(SoftmaxBlocks);
HWY_EXPORT(SoftmaxPlanes);

void softmax_plain(const Activations& in, const Activations& out, std::int64_t begin, std::int64_t count) {
  const std::int64_t lanes = in.planar ? 1 : kBlock;
  for (std::int64_t v = begin; v < begin + count; ++v) {
    const auto place = [&](const Activations& a, std::int64_t c) -> float& { return a.data[c / lanes * a.pitch + v * lanes + c % lanes]; };
    float top = place(in, 0), sum = 0;
    for (std::int64_t c = 1; c < in.channels; ++c) top = std::max(top, place(in, c));
    for (std::int64_t c = 0; c < in.channels; ++c) sum += place(out, c) = std::exp(place(in, c) - top);
    for (std::int64_t c = 0; c < in.channels; ++c) place(out, c) /= sum;
    if (!in.planar)
      for (std::int64_t c = in.channels; c < blocks(in.channels) * kBlock; ++c) place(out, c) = 0;
  }
}

}  // namespace

void channel_softmax(const Activations& in, const Activations& out) {
  const std::int64_t per_voxel = in.planar ? in.channels : blocks(in.channels) * kBlock;
  parallel_for(voxels(in.extents), std::max<std::int64_t>(64, 8192 / per_voxel / 64 * 64), [&](std::int64_t begin, std::int64_t end) {
    if (use_scalar()) return softmax_plain(in, out, begin, end - begin);
    if (!in.planar) return HWY_DYNAMIC_DISPATCH(SoftmaxBlocks)(in, out, begin, end - begin);
    const std::int64_t done = HWY_DYNAMIC_DISPATCH(SoftmaxPlanes)(in, out, begin, end - begin);
    softmax_plain(in, out, begin + done, end - begin - done);
  });
}

}  // namespace vesal::kernels
#endif
