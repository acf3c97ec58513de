#include "kernels/convolution_planar.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "base/parallel.h"
#include "kernels/convolution_micro.h"
#include "kernels/convolution_sliding.h"
#include "kernels/convolution_tiles.h"
#include "kernels/convolution_weights.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {
namespace {

/// Outputs of a few channels, each by itself.
class PlanarConvolution : public Convolution {
 public:
  PlanarConvolution(const ConvolutionShape& shape, const float* weight, const float* bias)
      : shape_(shape), slides_(can_slide(shape)), tiling_(shape, Tiling::Copy::planar, kPlanarSlack) {
    const Weights w(shape, weight);
    for (const TapList& phase : tiling_.phases()) {
      starts_.push_back(static_cast<std::int64_t>(weights_.size()));
      const std::vector<std::size_t> order = slides_ ? sliding_order(phase) : in_order(phase);
      std::vector<std::int64_t>& taps = taps_.emplace_back();
      for (std::size_t i = 0; i < order.size(); i += slides_ ? kSlidingRows : 1) taps.push_back(phase.offsets[order[i]]);
      for (std::int64_t in = 0; in < shape.in_channels; ++in)
        for (const std::size_t i : order)
          for (std::int64_t out = 0; out < shape.out_channels; ++out) weights_.push_back(w.at(out, in, phase.kernel_index[i]));
    }
    bias_.assign(static_cast<std::size_t>(shape.out_channels), 0.0f);
    if (bias) std::copy_n(bias, shape.out_channels, bias_.begin());
  }

  void run(const ConvolutionCall& call) const override {
    const std::vector<float> slopes = slopes_of(call.function, shape_.out_channels);
    const auto channels = static_cast<std::size_t>(shape_.out_channels);
    std::vector<double> sums(call.statistics ? static_cast<std::size_t>(tiling_.count()) * 2 * channels : 0, 0.0);
    parallel_for(tiling_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      float* local = thread_scratch(scratch_floats());
      for (std::int64_t item = begin; item < end; ++item) {
        const Tile tile = tiling_.tile(item);
        tiling_.pack(tile, call.in, call.before, local);
        double* own = call.statistics ? sums.data() + static_cast<std::size_t>(item) * 2 * channels : nullptr;
        const std::optional<Tile> next = item + 1 < end ? std::optional(tiling_.tile(item + 1)) : std::nullopt;
        for (std::size_t phase = 0; phase < tiling_.phases().size(); ++phase) compute(call, tile, next, phase, slopes, local, own);
      }
    });
    if (call.statistics) add_up(sums, 1, shape_.out_channels, call.statistics);
  }
  std::int64_t weight_bytes() const override { return static_cast<std::int64_t>(weights_.size() * sizeof(float)); }
  std::int64_t scratch_bytes() const override { return thread_count() * scratch_floats() * static_cast<std::int64_t>(sizeof(float)); }

 private:
  /// Which taps are read one after the other.
  static std::vector<std::size_t> in_order(const TapList& phase) {
    std::vector<std::size_t> order(phase.offsets.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
  }
  /// Those along y beside each other.
  static std::vector<std::size_t> sliding_order(const TapList& phase) {
    const std::size_t nz = phase.axes[2]->taps.size(), plane = kSlidingRows * nz;
    std::vector<std::size_t> order;
    for (std::size_t x = 0; x < phase.offsets.size(); x += plane)
      for (std::size_t z = 0; z < nz; ++z)
        for (std::size_t y = 0; y < kSlidingRows; ++y) order.push_back(x + y * nz + z);
    return order;
  }

  std::int64_t scratch_floats() const { return shape_.in_channels * tiling_.part_size() + kMostPlanarSums; }

  void compute(const ConvolutionCall& call, const Tile& tile, const std::optional<Tile>& next, std::size_t phase, const std::vector<float>& slopes,
               float* local, double* own) const {
    const TapList& taps = tiling_.phases()[phase];
    const Extents n = tiling_.outputs(tile, taps);
    PlanarCall m;
    m.taps = taps_[phase].data();
    m.tap_count = static_cast<std::int64_t>(taps_[phase].size());
    m.parts = shape_.in_channels;
    m.part_step = tiling_.part_size();
    m.weights = weights_.data() + starts_[phase];
    m.bias = bias_.data();
    m.out = local + shape_.in_channels * tiling_.part_size();
    m.row_step = tiling_.step(1);
    FinishRow finish;
    finish.function = call.function.function;
    finish.residual_after = call.residual_after;
    const auto choose = [&](std::int64_t rows, std::int64_t width) {
      return slides_ ? sliding_tile(shape_.out_channels, rows, width) : planar_tile(shape_.out_channels, rows, width);
    };
    for_each_step(n, choose, [&](const PlanarTile& kernel, std::int64_t i, std::int64_t j, std::int64_t k) {
      m.local = local + i * tiling_.step(0) + j * tiling_.step(1) + k * tiling_.step(2);
      const std::int64_t before = (i * n[1] + j) * n[2] + kernel.rows * k, count = std::min<std::int64_t>(kernel.width, n[2] - k);
      const RowPlace at = tiling_.place(taps, shape_.out, {tile.first[0] + i, tile.first[1] + j, tile.first[2] + k}, 1);
      const RowsBelow rows{kernel.rows, kernel.width, tiling_.axis(1).out_step * shape_.out[2]};
      if (next && phase == 0) tiling_.fetch(*next, call.in, before, before + kernel.rows * count, voxels(n));
      for (std::int64_t c = 0; c < shape_.out_channels; ++c) {
        for (std::int64_t row = 0; row < rows.count; ++row) {
          const std::int64_t begin = c * call.out.pitch + at.begin + row * rows.out_step;
          fetch_row(call.out.data + begin, count * at.step);
          if (call.residual.data) fetch_row(call.residual.data + begin - c * (call.out.pitch - call.residual.pitch), count * at.step);
        }
      }
      kernel.run(m);
      finish.count = count;
      finish.out_step = at.step;
      for (std::int64_t c = 0; c < shape_.out_channels; ++c) {
        finish.sums = m.out + c * kernel.rows * kernel.width;
        finish.out = call.out.data + c * call.out.pitch + at.begin;
        finish.residual = call.residual.data ? call.residual.data + c * call.residual.pitch + at.begin : nullptr;
        finish.slope = slopes.data() + c;
        if (own) finish.sum = own + c, finish.square = own + shape_.out_channels + c;
        finish_planar_rows(finish, rows);
      }
    });
  }

  ConvolutionShape shape_;
  bool slides_;
  Tiling tiling_;
  std::vector<float> weights_, bias_;
  std::vector<std::int64_t> starts_;             ///< of each phase in the weights
  std::vector<std::vector<std::int64_t>> taps_;  ///< of each phase
};

}  // namespace

std::unique_ptr<Convolution> make_planar(const ConvolutionShape& shape, const float* weight, const float* bias) {
  return std::make_unique<PlanarConvolution>(shape, weight, bias);
}

}  // namespace vesal::kernels
