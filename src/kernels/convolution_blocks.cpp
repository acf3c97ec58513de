#include "kernels/convolution_blocks.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/parallel.h"
#include "kernels/convolution_tiles.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {
namespace {

/// What a thread's scratch memory holds: a tile of a call. Between two ranges of a call a thread does nothing else, so that with one tile and many
/// blocks of outputs each thread packs it once.
struct Packed {
  std::uint64_t call = 0;
  std::int64_t tile = 0;
  bool operator==(const Packed&) const = default;
};
thread_local Packed packed_here;
std::atomic<std::uint64_t> calls{0};

constexpr std::int64_t kItems = 16;  ///< of work, at least, if there are as many blocks: enough for all threads to end at about the same time

}  // namespace

BlockOutputs::BlockOutputs(const ConvolutionShape& shape, const float* bias) : shape_(shape), out_blocks_(blocks(shape.out_channels)) {
  bias_.assign(static_cast<std::size_t>(out_blocks_ * kBlock), 0.0f);
  if (bias) std::copy_n(bias, shape.out_channels, bias_.begin());
  keep_.assign(bias_.size(), 0.0f);
  std::fill_n(keep_.begin(), shape.out_channels, 1.0f);
}

void BlockOutputs::set_tiles(std::int64_t tiles) {
  tiles_ = tiles;
  for (groups_ = 1; tiles_ * groups_ < kItems && groups_ < out_blocks_;) ++groups_;
}

std::int64_t BlockOutputs::scratch_bytes() const { return thread_count() * scratch_floats() * static_cast<std::int64_t>(sizeof(float)); }

void BlockOutputs::run(const ConvolutionCall& call) const {
  const std::vector<float> slopes = slopes_of(call.function, shape_.out_channels);
  std::vector<double> sums(call.statistics ? static_cast<std::size_t>(tiles_ * out_blocks_ * 2 * kBlock) : 0, 0.0);
  const std::uint64_t number = ++calls;
  parallel_for(tiles_ * groups_, 1, [&](std::int64_t begin, std::int64_t end) {
    float* local = thread_scratch(scratch_floats());
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t tile = item / groups_, group = item % groups_;
      const Packed wanted{number, tile};
      if (packed_here != wanted) pack(tile, call, local);
      packed_here = wanted;
      for (std::int64_t block = group * out_blocks_ / groups_; block < (group + 1) * out_blocks_ / groups_; ++block) {
        FinishRow finish;
        finish.function = call.function.function;
        finish.residual_after = call.residual_after;
        finish.slope = slopes.data() + block * kBlock;
        if (!keeps_zero(finish.function) && (block + 1) * kBlock > shape_.out_channels) finish.keep = keep_.data() + block * kBlock;
        if (call.statistics) {
          finish.sum = sums.data() + (tile * out_blocks_ + block) * 2 * kBlock;
          finish.square = finish.sum + kBlock;
        }
        compute(tile, block, call, local, finish);
      }
    }
  });
  if (call.statistics) add_up(sums, out_blocks_, kBlock, call.statistics);
}

}  // namespace vesal::kernels
