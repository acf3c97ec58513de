#include <algorithm>

#include "kernels/convolution_interleaved.h"
#include "kernels/convolution_planar.h"
#include "kernels/convolution_weights.h"

namespace vesal::kernels {
namespace {

/// Two phases that lie beside each other along z.
struct PhasePair {
  const TapList *first, *second;
  std::array<std::vector<std::int64_t>, kInterleavedKinds> offsets;
  std::int64_t start = 0;  ///< in the weights
};

/// Where in a phase's list a tap reads at an offset.
std::optional<std::size_t> tap_at(const TapList& phase, std::int64_t offset) {
  const auto found = std::find(phase.offsets.begin(), phase.offsets.end(), offset);
  if (found == phase.offsets.end()) return std::nullopt;
  return static_cast<std::size_t>(found - phase.offsets.begin());
}

class InterleavedConvolution : public PlanarOutputs {
 public:
  InterleavedConvolution(const ConvolutionShape& shape, const float* weight, const float* bias) : PlanarOutputs(shape, bias) {
    const Weights w(shape, weight);
    for (std::size_t phase = 0; phase + 1 < tiling_.phases().size(); phase += 2) add_pair(tiling_.phases()[phase], tiling_.phases()[phase + 1], w);
  }

 private:
  void add_pair(const TapList& first, const TapList& second, const Weights& w) {
    PhasePair pair{&first, &second, {}, static_cast<std::int64_t>(weights_.size())};
    std::array<std::vector<std::int64_t>, kInterleavedKinds> factors;  ///< places in the kernel, in the order of the weights
    for (std::size_t i = 0; i < first.offsets.size(); ++i) {
      const auto other = tap_at(second, first.offsets[i]);
      const std::size_t kind = other ? 0 : 1;
      pair.offsets[kind].push_back(first.offsets[i]);
      factors[kind].push_back(first.kernel_index[i]);
      if (other) factors[kind].push_back(second.kernel_index[*other]);
    }
    for (std::size_t i = 0; i < second.offsets.size(); ++i) {
      if (tap_at(first, second.offsets[i])) continue;
      pair.offsets[2].push_back(second.offsets[i]);
      factors[2].push_back(second.kernel_index[i]);
    }
    for (std::int64_t in = 0; in < shape_.in_channels; ++in)
      for (const std::vector<std::int64_t>& of_kind : factors)
        for (const std::int64_t tap : of_kind)
          for (std::int64_t out = 0; out < shape_.out_channels; ++out) weights_.push_back(w.at(out, in, tap));
    pairs_.push_back(std::move(pair));
  }

  /// All pairs of phases of the same inputs, before others: these then lie in the nearest cache.
  void compute(const Work& work) const override {
    const Extents n = tiling_.outputs(work.tile, *pairs_.front().first);  // no phase has more
    const auto choose = [&](std::int64_t rows, std::int64_t width) { return interleaved_tile(shape_.out_channels, rows, width); };
    for_each_step(n, choose, [&](const InterleavedTile& kernel, std::int64_t i, std::int64_t j, std::int64_t k) {
      const std::int64_t done = (i * n[1] + j) * n[2] + kernel.rows * k, positions = kernel.rows * std::min<std::int64_t>(kernel.width, n[2] - k);
      if (work.next) tiling_.fetch(*work.next, work.call.in, done, done + positions, voxels(n));
      for (const PhasePair& pair : pairs_) compute_pair(work, pair, kernel, {i, j, k});
    });
  }

  void compute_pair(const Work& work, const PhasePair& pair, const InterleavedTile& kernel, const Extents& at) const {
    const Extents n = tiling_.outputs(work.tile, *pair.first);
    const std::int64_t there = std::min<std::int64_t>(kernel.rows, n[1] - at[1]);
    if (at[0] >= n[0] || there <= 0) return;
    Extents q;
    for (std::size_t a = 0; a < 3; ++a) q[a] = work.tile.first[a] + at[a];
    Rows rows{tiling_.place(*pair.first, shape_.out, q, 1),
              std::min<std::int64_t>(2 * std::min<std::int64_t>(kernel.width, n[2] - at[2]), shape_.out[2] - 2 * q[2]),
              {there, 2 * kernel.width, tiling_.axis(1).out_step * shape_.out[2]}};
    rows.at.step = 1;
    expect(work, rows);
    InterleavedCall m;
    m.local = work.local + at[0] * tiling_.step(0) + at[1] * tiling_.step(1) + at[2] * tiling_.step(2);
    for (std::size_t kind = 0; kind < kInterleavedKinds; ++kind)
      m.taps[kind] = {pair.offsets[kind].data(), static_cast<std::int64_t>(pair.offsets[kind].size())};
    m.parts = shape_.in_channels;
    m.part_step = tiling_.part_size();
    m.row_step = tiling_.step(1);
    m.weights = weights_.data() + pair.start;
    m.bias = bias_.data();
    m.out = work.sums;
    kernel.run(m);
    finish(work, rows, kernel.rows);
  }

  std::vector<PhasePair> pairs_;
};

}  // namespace

std::unique_ptr<Convolution> make_interleaved(const ConvolutionShape& shape, const float* weight, const float* bias) {
  return std::make_unique<InterleavedConvolution>(shape, weight, bias);
}

}  // namespace vesal::kernels
