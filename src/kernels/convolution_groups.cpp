#include "kernels/convolution_groups.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "kernels/convolution_micro.h"
#include "kernels/convolution_tiles.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {
namespace {

/// Channels [first, first + channels) of blocked activations; first is a multiple of 16.
Activations part_of(const Activations& a, std::int64_t first, std::int64_t channels) {
  Activations part = a;
  if (a.data) part.data = a.data + first / kBlock * a.pitch;
  part.channels = channels;
  return part;
}
Pointwise part_of(const Pointwise& f, std::int64_t first, std::int64_t channels) {
  Pointwise part = f;
  if (f.slope.size() > 1) part.slope.assign(f.slope.begin() + first, f.slope.begin() + first + channels);
  return part;
}

/// A call on some of the channels. Statistics go where `statistics` says.
ConvolutionCall part_of(const ConvolutionCall& call, std::int64_t first_in, std::int64_t in, std::int64_t first_out, std::int64_t out) {
  ConvolutionCall part = call;
  part.in = part_of(call.in, first_in, in);
  part.out = part_of(call.out, first_out, out);
  part.residual = part_of(call.residual, first_out, out);
  if (call.before.scale) part.before.scale += first_in, part.before.shift += first_in;
  part.before.after = part_of(call.before.after, first_in, in);
  part.function = part_of(call.function, first_out, out);
  return part;
}

/// Groups of whole blocks, one after the other.
class BlockGroups : public Convolution {
 public:
  BlockGroups(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision)
      : in_(shape.in_channels / shape.groups), out_(shape.out_channels / shape.groups) {
    ConvolutionShape one = shape;
    one.groups = 1;
    one.in_channels = in_;
    one.out_channels = out_;
    const std::int64_t step = in_ * out_ * voxels(shape.kernel);
    for (std::int64_t g = 0; g < shape.groups; ++g) groups_.push_back(make(one, weight + g * step, bias ? bias + g * out_ : nullptr, precision));
  }
  void run(const ConvolutionCall& call) const override {
    const auto all = static_cast<std::int64_t>(groups_.size()) * out_;
    std::vector<double> own(call.statistics ? static_cast<std::size_t>(2 * out_) : 0);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto at = static_cast<std::int64_t>(g);
      ConvolutionCall part = part_of(call, at * in_, in_, at * out_, out_);
      part.statistics = call.statistics ? own.data() : nullptr;
      groups_[g]->run(part);
      if (!call.statistics) continue;
      std::copy_n(own.begin(), out_, call.statistics + at * out_);
      std::copy_n(own.begin() + out_, out_, call.statistics + all + at * out_);
    }
  }
  Precision precision() const override { return groups_[0]->precision(); }
  std::int64_t weight_bytes() const override { return static_cast<std::int64_t>(groups_.size()) * groups_[0]->weight_bytes(); }
  std::int64_t scratch_bytes() const override { return groups_[0]->scratch_bytes(); }

 private:
  std::int64_t in_, out_;
  std::vector<std::unique_ptr<Convolution>> groups_;
};

/// Every channel by itself: 16 of them to a vector.
class Depthwise : public Convolution {
 public:
  Depthwise(const ConvolutionShape& shape, const float* weight, const float* bias)
      : shape_(shape), blocks_(blocks(shape.in_channels)), tiling_(of_one_block(shape), Tiling::Copy::beside, kMicroSlack) {
    const std::int64_t taps = voxels(shape.kernel);
    for (const TapList& phase : tiling_.phases()) {
      starts_.push_back(static_cast<std::int64_t>(weights_.size()));
      for (std::int64_t block = 0; block < blocks_; ++block)
        for (const std::int64_t tap : phase.kernel_index)
          for (std::int64_t c = block * kBlock; c < (block + 1) * kBlock; ++c)
            weights_.push_back(c < shape.in_channels ? weight[c * taps + tap] : 0.0f);
    }
    bias_.assign(static_cast<std::size_t>(blocks_ * kBlock), 0.0f);
    if (bias) std::copy_n(bias, shape.out_channels, bias_.begin());
    keep_.assign(bias_.size(), 0.0f);
    std::fill_n(keep_.begin(), shape.out_channels, 1.0f);
  }
  void run(const ConvolutionCall& call) const override {
    const std::vector<float> slopes = slopes_of(call.function, shape_.out_channels);
    std::vector<double> sums(call.statistics ? static_cast<std::size_t>(tiling_.count()) * 2 * bias_.size() : 0, 0.0);
    parallel_for(tiling_.count() * blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
      float* local = thread_scratch(scratch_floats());
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t block = item % blocks_, first = block * kBlock;
        const Tile tile = tiling_.tile(item / blocks_);
        const ConvolutionCall part =
            part_of(call, first, std::min(kBlock, shape_.in_channels - first), first, std::min(kBlock, shape_.in_channels - first));
        tiling_.pack(tile, part.in, part.before, local);
        FinishRow finish;
        finish.function = call.function.function;
        finish.residual_after = call.residual_after;
        finish.slope = slopes.data() + first;
        if (!keeps_zero(finish.function)) finish.keep = keep_.data() + first;
        if (call.statistics) {
          finish.sum = sums.data() + static_cast<std::size_t>(item) * 2 * kBlock;
          finish.square = finish.sum + kBlock;
        }
        for (std::size_t phase = 0; phase < tiling_.phases().size(); ++phase) compute(part, tile, phase, block, local, finish);
      }
    });
    if (call.statistics) add_up(sums, blocks_, kBlock, call.statistics);
  }
  std::int64_t weight_bytes() const override { return static_cast<std::int64_t>(weights_.size() * sizeof(float)); }
  std::int64_t scratch_bytes() const override { return thread_count() * scratch_floats() * static_cast<std::int64_t>(sizeof(float)); }

 private:
  static ConvolutionShape of_one_block(ConvolutionShape shape) {
    shape.in_channels = shape.out_channels = kBlock;
    return shape;
  }
  std::int64_t scratch_floats() const { return tiling_.part_size() + kMicroSlack * kBlock; }

  void compute(const ConvolutionCall& call, const Tile& tile, std::size_t phase, std::int64_t block, float* local, FinishRow finish) const {
    const TapList& taps = tiling_.phases()[phase];
    const Extents n = tiling_.outputs(tile, taps);
    MicroCall m;
    m.taps = taps.offsets.data();
    m.tap_count = static_cast<std::int64_t>(taps.offsets.size());
    m.weights = weights_.data() + starts_[phase] + block * m.tap_count * kBlock;
    m.bias = bias_.data() + block * kBlock;
    m.out = local + tiling_.part_size();
    const auto choose = [](std::int64_t, std::int64_t width) { return depthwise_tile(width); };
    for_each_step(n, choose, [&](const MicroTile& kernel, std::int64_t i, std::int64_t j, std::int64_t k) {
      m.local = local + i * tiling_.step(0) + j * tiling_.step(1) + k * tiling_.step(2);
      kernel.run(m);
      const RowPlace at = tiling_.place(taps, shape_.out, {tile.first[0] + i, tile.first[1] + j, tile.first[2] + k}, kBlock);
      finish.sums = m.out;
      finish.count = std::min<std::int64_t>(kernel.width, n[2] - k);
      finish.out = call.out.data + at.begin;
      finish.out_step = at.step;
      finish.residual = call.residual.data ? call.residual.data + at.begin : nullptr;
      finish_block_row(finish);
    });
  }

  ConvolutionShape shape_;
  std::int64_t blocks_;
  Tiling tiling_;
  std::vector<float> weights_, bias_, keep_;
  std::vector<std::int64_t> starts_;
};

/// The same convolution without groups: weights between groups are zeros.
std::unique_ptr<Convolution> filled_up(const ConvolutionShape& s, const float* weight, const float* bias, Precision precision) {
  ConvolutionShape whole = s;
  whole.groups = 1;
  const std::int64_t taps = voxels(s.kernel), in = s.in_channels / s.groups, out = s.out_channels / s.groups;
  std::vector<float> dense(static_cast<std::size_t>(s.in_channels * s.out_channels * taps), 0.0f);
  for (std::int64_t g = 0; g < s.groups; ++g) {
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t i = 0; i < in; ++i) {
        const std::int64_t from = s.transposed ? (g * in + i) * out + o : (g * out + o) * in + i;
        const std::int64_t to = s.transposed ? (g * in + i) * s.out_channels + g * out + o : (g * out + o) * s.in_channels + g * in + i;
        std::copy_n(weight + from * taps, taps, dense.begin() + to * taps);
      }
    }
  }
  return Convolution::make(whole, dense.data(), bias, precision);
}

}  // namespace

std::unique_ptr<Convolution> make_grouped(const ConvolutionShape& s, const float* weight, const float* bias, Precision precision) {
  const std::int64_t in = s.in_channels / s.groups, out = s.out_channels / s.groups;
  if (in == 1 && out == 1 && s.in_channels > kMostPlanarChannels) return std::make_unique<Depthwise>(s, weight, bias);
  if (in % kBlock == 0 && out % kBlock == 0) return std::make_unique<BlockGroups>(s, weight, bias, precision);
  return filled_up(s, weight, bias, precision);
}

}  // namespace vesal::kernels
