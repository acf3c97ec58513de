// Direct convolution: a tile's inputs are copied beside each other with zeros past the edges, then every output of the tile is summed in registers.
// Transposed ones are as many ordinary ones as the stride has phases.
#include "kernels/convolution.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/convolution_bf16.h"
#include "kernels/convolution_blocks.h"
#include "kernels/convolution_groups.h"
#include "kernels/convolution_micro.h"
#include "kernels/convolution_planar.h"
#include "kernels/convolution_tiles.h"
#include "kernels/convolution_weights.h"
#include "kernels/convolution_winograd.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {
namespace {

/// A convolution that looks at one voxel at a time has one long row of them: whole tiles, however short the axes are.
ConvolutionShape flattened(ConvolutionShape s) {
  const bool pointwise = s.kernel == Extents{1, 1, 1} && s.stride == Extents{1, 1, 1} && s.padding == Extents{0, 0, 0} && s.in == s.out;
  if (pointwise) s.in = s.out = {1, 1, voxels(s.in)};
  return s;
}

/// Outputs in blocks of 16 channels.
class BlockedConvolution : public BlockOutputs {
 public:
  BlockedConvolution(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision)
      : BlockOutputs(flattened(shape), bias),
        pairs_(precision == Precision::bf16 && shape.in_channels > kMostPlanarChannels && has_bf16()),
        parts_(shape.in_channels > kMostPlanarChannels ? blocks(shape.in_channels) : 1),
        tiling_(shape_, pairs_ ? Tiling::Copy::pairs : Tiling::Copy::beside, kMicroSlack) {
    pack_weights(Weights(shape, weight));
    set_tiles(tiling_.count());
  }
  Precision precision() const override { return pairs_ ? Precision::bf16 : Precision::fp32; }

 private:
  std::int64_t scratch_floats() const override { return parts_ * tiling_.part_size() + kMostMicroSums; }

  /// [phase][block of outputs][block of inputs][tap][input channel or pair][16].
  void pack_weights(const Weights& w) {
    const std::int64_t lanes = tiling_.lanes(), each = pairs_ ? 2 : 1;
    for (const TapList& phase : tiling_.phases()) {
      starts_.push_back(static_cast<std::int64_t>(weights_.size()));
      for (std::int64_t block = 0; block < out_blocks_; ++block)
        for (std::int64_t part = 0; part < parts_; ++part)
          for (const std::int64_t tap : phase.kernel_index)
            for (std::int64_t in = part * lanes * each; in < (part + 1) * lanes * each; in += each)
              for (std::int64_t out = block * kBlock; out < (block + 1) * kBlock; ++out) {
                const auto at = [&](std::int64_t i) { return i < shape_.in_channels && out < shape_.out_channels ? w.at(out, i, tap) : 0.0f; };
                weights_.push_back(pairs_ ? bf16_pair(at(in), at(in + 1)) : at(in));
              }
    }
  }

  void pack(std::int64_t tile, const ConvolutionCall& call, float* local) const override {
    Activations in = call.in;
    in.extents = shape_.in;
    tiling_.pack(tiling_.tile(tile), in, call.before, local);
  }

  void compute(std::int64_t tile, std::int64_t block, const ConvolutionCall& call, float* local, const FinishRow& finish) const override {
    for (std::size_t phase = 0; phase < tiling_.phases().size(); ++phase) compute_phase(tiling_.tile(tile), phase, block, call, local, finish);
  }

  void compute_phase(const Tile& tile, std::size_t phase, std::int64_t block, const ConvolutionCall& call, float* local, FinishRow finish) const {
    const TapList& taps = tiling_.phases()[phase];
    const Extents n = tiling_.outputs(tile, taps);
    const auto tap_count = static_cast<std::int64_t>(taps.offsets.size());
    float* sums = local + parts_ * tiling_.part_size();
    MicroCall m;
    m.taps = taps.offsets.data();
    m.tap_count = tap_count;
    m.parts = parts_;
    m.part_step = tiling_.part_size();
    m.row_step = tiling_.step(1);
    m.weights = weights_.data() + starts_[phase] + block * parts_ * tap_count * tiling_.lanes() * kBlock;
    m.bias = bias_.data() + block * kBlock;
    m.out = sums;
    const auto choose = [&](std::int64_t rows, std::int64_t width) {
      return pairs_ ? bf16_tile(rows, width) : micro_tile(tiling_.lanes(), rows, width);
    };
    for_each_step(n, choose, [&](const MicroTile& kernel, std::int64_t i, std::int64_t j, std::int64_t k) {
      m.local = local + i * tiling_.step(0) + j * tiling_.step(1) + k * tiling_.step(2);
      kernel.run(m);
      finish.count = std::min<std::int64_t>(kernel.width, n[2] - k);
      for (int row = 0; row < kernel.rows; ++row) {
        const RowPlace at = tiling_.place(taps, shape_.out, {tile.first[0] + i, tile.first[1] + j + row, tile.first[2] + k}, kBlock);
        finish.sums = sums + row * kernel.width * kBlock;
        finish.out = call.out.data + block * call.out.pitch + at.begin;
        finish.out_step = at.step;
        if (call.residual.data) finish.residual = call.residual.data + block * call.residual.pitch + at.begin;
        finish_block_row(finish);
      }
    });
  }

  bool pairs_;
  std::int64_t parts_;
  Tiling tiling_;
  std::vector<std::int64_t> starts_;  ///< of each phase in the weights
};

}  // namespace

double ConvolutionShape::flops() const {
  const double places = static_cast<double>(voxels(transposed ? in : out) * voxels(kernel));
  return 2 * places * static_cast<double>(in_channels / groups) * static_cast<double>(out_channels);
}

std::unique_ptr<Convolution> Convolution::make(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision) {
  if (shape.groups != 1) return make_grouped(shape, weight, bias, precision);
  if (shape.out_channels <= kMostPlanarChannels) return make_planar(shape, weight, bias);
  if ((precision == Precision::fp32 || !has_bf16()) && winograd_pays(shape)) return make_winograd(shape, weight, bias);
  return std::make_unique<BlockedConvolution>(shape, weight, bias, precision);
}

}  // namespace vesal::kernels
