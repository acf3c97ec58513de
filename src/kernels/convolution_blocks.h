// What convolutions with outputs in blocks of 16 channels share: the walk over tiles and blocks, and all of a call that is the same for every tile.
#pragma once
#include <vector>

#include "kernels/convolution.h"
#include "kernels/convolution_rows.h"

namespace vesal::kernels {

class BlockOutputs : public Convolution {
 public:
  void run(const ConvolutionCall& call) const final;
  std::int64_t weight_bytes() const final { return static_cast<std::int64_t>(weights_.size() * sizeof(float)); }
  std::int64_t scratch_bytes() const final;

 protected:
  /// bias: null or one per output channel.
  BlockOutputs(const ConvolutionShape& shape, const float* bias);
  /// To be told before the first call: where tiles are few the output's blocks are dealt out too.
  void set_tiles(std::int64_t tiles);

  /// Floats that a thread needs for a tile.
  virtual std::int64_t scratch_floats() const = 0;
  /// Copies what a tile reads of all inputs into the thread's scratch memory.
  virtual void pack(std::int64_t tile, const ConvolutionCall& call, float* local) const = 0;
  /// The outputs of one block of a tile that was packed. `finish` has all that is the same for the whole block.
  virtual void compute(std::int64_t tile, std::int64_t block, const ConvolutionCall& call, float* local, const FinishRow& finish) const = 0;

  ConvolutionShape shape_;
  std::int64_t out_blocks_;
  std::vector<float> weights_, bias_;  ///< the bias of whole blocks

 private:
  std::int64_t tiles_ = 1, groups_ = 1;
  std::vector<float> keep_;  ///< [16 * blocks]: 1 for the channels there are
};

}  // namespace vesal::kernels
