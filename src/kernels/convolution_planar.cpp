#include "kernels/convolution_planar.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/convolution_micro.h"
#include "kernels/convolution_sliding.h"
#include "kernels/convolution_weights.h"

namespace vesal::kernels {
namespace {

/// Each phase by itself.
class PlanarConvolution : public PlanarOutputs {
 public:
  PlanarConvolution(const ConvolutionShape& shape, const float* weight, const float* bias) : PlanarOutputs(shape, bias), slides_(can_slide(shape)) {
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
  }

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

  void compute(const Work& work) const override {
    for (std::size_t phase = 0; phase < tiling_.phases().size(); ++phase) compute_phase(work, phase);
  }

  void compute_phase(const Work& work, std::size_t phase) const {
    const TapList& taps = tiling_.phases()[phase];
    const Extents n = tiling_.outputs(work.tile, taps);
    PlanarCall m;
    m.taps = taps_[phase].data();
    m.tap_count = static_cast<std::int64_t>(taps_[phase].size());
    m.parts = shape_.in_channels;
    m.part_step = tiling_.part_size();
    m.weights = weights_.data() + starts_[phase];
    m.bias = bias_.data();
    m.out = work.sums;
    m.row_step = tiling_.step(1);
    const auto choose = [&](std::int64_t rows, std::int64_t width) {
      return slides_ ? sliding_tile(shape_.out_channels, rows, width) : planar_tile(shape_.out_channels, rows, width);
    };
    for_each_step(n, choose, [&](const PlanarTile& kernel, std::int64_t i, std::int64_t j, std::int64_t k) {
      m.local = work.local + i * tiling_.step(0) + j * tiling_.step(1) + k * tiling_.step(2);
      const Extents& first = work.tile.first;
      const Rows rows{tiling_.place(taps, shape_.out, {first[0] + i, first[1] + j, first[2] + k}, 1),
                      std::min<std::int64_t>(kernel.width, n[2] - k),
                      {kernel.rows, kernel.width, tiling_.axis(1).out_step * shape_.out[2]}};
      const std::int64_t done = (i * n[1] + j) * n[2] + kernel.rows * k;
      if (work.next && phase == 0) tiling_.fetch(*work.next, work.call.in, done, done + kernel.rows * rows.count, voxels(n));
      expect(work, rows);
      kernel.run(m);
      finish(work, rows, kernel.rows);
    });
  }

  bool slides_;
  std::vector<std::int64_t> starts_;             ///< of each phase in the weights
  std::vector<std::vector<std::int64_t>> taps_;  ///< of each phase
};

}  // namespace

std::unique_ptr<Convolution> make_planar(const ConvolutionShape& shape, const float* weight, const float* bias) {
  if (can_be_interleaved(shape)) return make_interleaved(shape, weight, bias);
  return std::make_unique<PlanarConvolution>(shape, weight, bias);
}

}  // namespace vesal::kernels
