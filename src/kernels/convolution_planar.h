// Convolutions to 1 to 4 channels: vectors of neighbouring positions of one channel.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/convolution_tiles.h"

namespace vesal::kernels {

/// What such convolutions share: the walk over tiles, and all of a call that is the same for every tile.
class PlanarOutputs : public Convolution {
 public:
  void run(const ConvolutionCall& call) const final;
  std::int64_t weight_bytes() const final { return static_cast<std::int64_t>(weights_.size() * sizeof(float)); }
  std::int64_t scratch_bytes() const final;

 protected:
  /// bias: null or one per output channel.
  PlanarOutputs(const ConvolutionShape& shape, const float* bias);

  /// A tile under way.
  struct Work {
    const ConvolutionCall& call;
    const std::vector<float>& slopes;
    Tile tile;
    std::optional<Tile> next;  ///< the one this thread does after it
    float* local;              ///< the inputs' local copy
    float* sums;               ///< [kMostPlanarSums]
    double* statistics;        ///< [2][out channels] of this tile, or null
  };
  /// All outputs of a tile that was packed.
  virtual void compute(const Work& work) const = 0;

  /// Rows of outputs that a kernel sums at once: in every channel `rows` of `count` numbers, the first at `at`.
  struct Rows {
    RowPlace at;
    std::int64_t count;
    RowsBelow rows;
  };
  /// To be told before a kernel runs: asks the memory for where its sums will go, and for the residual.
  void expect(const Work& work, const Rows& rows) const;
  /// Sums [out channels][kernel_rows][rows.sums_step] to outputs.
  void finish(const Work& work, const Rows& rows, std::int64_t kernel_rows) const;

  ConvolutionShape shape_;
  Tiling tiling_;
  std::vector<float> weights_, bias_;

 private:
  std::int64_t scratch_floats() const;
};

/// shape.out_channels <= kMostPlanarChannels, no groups; weight and bias as Convolution::make takes them.
std::unique_ptr<Convolution> make_planar(const ConvolutionShape& shape, const float* weight, const float* bias);
/// The same for transposed ones of stride 2 along z (can_be_interleaved).
std::unique_ptr<Convolution> make_interleaved(const ConvolutionShape& shape, const float* weight, const float* bias);

/// Whether outputs of two phases lie beside each other along z.
inline bool can_be_interleaved(const ConvolutionShape& s) { return s.transposed && s.stride[2] == 2 && s.out[2] >= 2; }

}  // namespace vesal::kernels
