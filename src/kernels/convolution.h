// Direct convolution and transposed convolution in 1, 2 and 3 dimensions on blocked and planar activations.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "kernels/activations.h"

namespace vesal::kernels {

/// As torch.nn.ConvNd and ConvTransposeNd have it; missing axes come first with kernel 1, stride 1, padding 0.
struct ConvolutionShape {
  std::int64_t in_channels = 1, out_channels = 1;
  Extents in{1, 1, 1}, out{1, 1, 1};
  Extents kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, padding{0, 0, 0};
  std::int64_t groups = 1;
  bool transposed = false;

  /// Floating point operations of one call.
  double flops() const;
};

/// What is multiplied: float32, or numbers rounded to bfloat16 where the machine has instructions for them (has_bf16() of convolution_bf16.h) and
/// there are enough channels; sums, biases and everything else are float32.
enum class Precision { fp32, bf16 };

/// What happens to the inputs and outputs on their way. out = f(conv(before(in)) + bias [+ residual]), or f(conv + bias) + residual.
struct ConvolutionCall {
  Activations in, out;
  ChannelMap before;             ///< zero padding comes after it, as in networks that normalize first
  Activations residual;          ///< of the output's shape and layout; no data: none. May be the output itself
  bool residual_after = false;   ///< whether it is added after the function
  Pointwise function;            ///< its slopes hold one number per channel or one
  double* statistics = nullptr;  ///< [2 * 16 * blocks]: sums of the outputs, then of their squares, per channel, are stored here; or null
};

/// Weights in the order the kernels read them. run() may be called by one thread at a time; it uses all threads of parallel_for.
class Convolution {
 public:
  /// weight as PyTorch has it: [out, in / groups, x, y, z], transposed
  /// [in, out / groups, x, y, z]; bias: null or one per output channel. Inputs and outputs are planar where their channels say so.
  static std::unique_ptr<Convolution> make(const ConvolutionShape& shape, const float* weight, const float* bias,
                                           Precision precision = Precision::fp32);
  virtual ~Convolution() = default;
  virtual void run(const ConvolutionCall& call) const = 0;
  /// What it really multiplies.
  virtual Precision precision() const { return Precision::fp32; }
  /// Bytes of the packed weights, and of scratch memory that a call takes for a moment on all threads.
  virtual std::int64_t weight_bytes() const = 0;
  virtual std::int64_t scratch_bytes() const = 0;
};

}  // namespace vesal::kernels
