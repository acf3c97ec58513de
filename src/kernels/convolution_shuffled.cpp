#include "kernels/convolution_shuffled.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/parallel.h"
#include "kernels/convolution_axis.h"
#include "kernels/convolution_rows.h"

namespace vesal::kernels {
namespace {

constexpr std::int64_t kMostLanes = 2 * kBlock;

class Shuffled : public Convolution {
 public:
  Shuffled(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision)
      : shape_(shape), bias_(static_cast<std::size_t>(shape.out_channels), 0.0f) {
    for (std::size_t a = 0; a < 3; ++a) {
      const Axis axis = convolution_axis(shape, a);
      phases_[a] = static_cast<std::int64_t>(axis.phases.size());
      places_[a] = axis.count;
      inner_.in[a] = shape.in[a];
      inner_.out[a] = axis.count;
      inner_.kernel[a] = axis.high - axis.low + 1;
      inner_.padding[a] = -axis.low;
    }
    inner_.in_channels = shape.in_channels;
    inner_.out_channels = voxels(phases_) * shape.out_channels;
    convolution_ = make(inner_, weights(weight).data(), nullptr, precision);
    if (bias) std::copy_n(bias, shape.out_channels, bias_.begin());
    lanes_.resize(static_cast<std::size_t>(activation_size(inner_.out_channels, places_)));
  }

  void run(const ConvolutionCall& call) const override {
    ConvolutionCall inner;
    inner.in = call.in;
    inner.before = call.before;
    inner.out = {lanes_.data(), inner_.out_channels, places_, false, 0};
    inner.out.pitch = inner.out.part_size();
    convolution_->run(inner);

    const auto channels = static_cast<std::size_t>(shape_.out_channels);
    std::vector<double> sums(call.statistics ? static_cast<std::size_t>(places_[0]) * 2 * channels : 0, 0.0);
    parallel_for(places_[0], 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> row(static_cast<std::size_t>(places_[2] * phases_[2]));
      for (std::int64_t x = begin; x < end; ++x)
        for (std::int64_t y = 0; y < places_[1]; ++y)
          finish_rows(call, inner.out, x, y, row.data(), sums.empty() ? nullptr : sums.data() + static_cast<std::size_t>(x) * 2 * channels);
    });
    if (call.statistics) add_up(sums, 1, shape_.out_channels, call.statistics);
  }
  Precision precision() const override { return convolution_->precision(); }
  std::int64_t weight_bytes() const override { return convolution_->weight_bytes() + static_cast<std::int64_t>(lanes_.size() * sizeof(float)); }
  std::int64_t scratch_bytes() const override { return convolution_->scratch_bytes(); }

 private:
  /// Phases along z lie beside each other, as their outputs do.
  std::int64_t lane(std::int64_t phase_x, std::int64_t phase_y, std::int64_t channel) const {
    return ((phase_x * phases_[1] + phase_y) * shape_.out_channels + channel) * phases_[2];
  }

  /// [lane][input channel][offset]: the tap that has this offset in this phase, or zero.
  std::vector<float> weights(const float* weight) const {
    const std::int64_t taps = voxels(shape_.kernel), places = voxels(inner_.kernel);
    std::vector<float> out(static_cast<std::size_t>(inner_.out_channels * shape_.in_channels * places), 0.0f);
    const std::array<Axis, 3> axes{convolution_axis(shape_, 0), convolution_axis(shape_, 1), convolution_axis(shape_, 2)};
    for (std::int64_t px = 0; px < phases_[0]; ++px)
      for (std::int64_t py = 0; py < phases_[1]; ++py)
        for (std::int64_t pz = 0; pz < phases_[2]; ++pz)
          for (const auto& tx : axes[0].phases[static_cast<std::size_t>(px)].taps)
            for (const auto& ty : axes[1].phases[static_cast<std::size_t>(py)].taps)
              for (const auto& tz : axes[2].phases[static_cast<std::size_t>(pz)].taps) {
                const std::int64_t tap = (tx.index * shape_.kernel[1] + ty.index) * shape_.kernel[2] + tz.index;
                const std::int64_t place =
                    ((tx.offset - axes[0].low) * inner_.kernel[1] + ty.offset - axes[1].low) * inner_.kernel[2] + tz.offset - axes[2].low;
                for (std::int64_t c = 0; c < shape_.out_channels; ++c)
                  for (std::int64_t i = 0; i < shape_.in_channels; ++i)
                    out[static_cast<std::size_t>(((lane(px, py, c) + pz) * shape_.in_channels + i) * places + place)] =
                        weight[(i * shape_.out_channels + c) * taps + tap];
              }
    return out;
  }

  /// All rows of outputs that one row of lanes holds.
  void finish_rows(const ConvolutionCall& call, const Activations& lanes, std::int64_t place_x, std::int64_t place_y, float* row,
                   double* sums) const {
    for (std::int64_t x = place_x * phases_[0]; x < std::min((place_x + 1) * phases_[0], shape_.out[0]); ++x)
      for (std::int64_t y = place_y * phases_[1]; y < std::min((place_y + 1) * phases_[1], shape_.out[1]); ++y)
        for (std::int64_t c = 0; c < shape_.out_channels; ++c) finish(call, lanes, x, y, c, row, sums ? sums + c : nullptr);
  }

  /// One row of one channel of the output. sum: where its sum goes, the sum of squares `out_channels` further; or null.
  void finish(const ConvolutionCall& call, const Activations& lanes, std::int64_t x, std::int64_t y, std::int64_t channel, float* row,
              double* sum) const {
    const std::int64_t first = lane(x % phases_[0], y % phases_[1], channel), step = phases_[2];
    const float* from = lanes.data + (x / phases_[0] * places_[1] + y / phases_[1]) * places_[2] * kBlock;
    for (std::int64_t phase = 0; phase < step; ++phase) {
      const std::int64_t at = first + phase;
      const float* of_lane = from + at / kBlock * lanes.pitch + at % kBlock;
      for (std::int64_t z = 0; z < places_[2]; ++z) row[z * step + phase] = of_lane[z * kBlock] + bias_[static_cast<std::size_t>(channel)];
    }
    const std::int64_t begin = (x * shape_.out[1] + y) * shape_.out[2];
    FinishRow f;
    f.sums = row;
    f.count = shape_.out[2];
    f.out = call.out.data + channel * call.out.pitch + begin;
    f.out_step = 1;
    if (call.residual.data) f.residual = call.residual.data + channel * call.residual.pitch + begin;
    f.residual_after = call.residual_after;
    f.function = call.function.function;
    const float slope = slope_at(call.function, channel);
    f.slope = &slope;
    if (sum) f.sum = sum, f.square = sum + shape_.out_channels;
    finish_planar_row(f);
  }

  ConvolutionShape shape_, inner_;
  Extents phases_{1, 1, 1}, places_{1, 1, 1};
  std::vector<float> bias_;
  std::unique_ptr<Convolution> convolution_;
  mutable std::vector<float> lanes_;  ///< of the call under way
};

}  // namespace

bool can_be_shuffled(const ConvolutionShape& s) {
  const std::int64_t lanes = voxels(s.stride) * s.out_channels;
  return s.transposed && s.in_channels > kMostPlanarChannels && s.out_channels <= kMostPlanarChannels && lanes > kMostPlanarChannels &&
         lanes <= kMostLanes && s.out[0] >= s.stride[0] && s.out[1] >= s.stride[1] && s.out[2] >= s.stride[2];
}

std::unique_ptr<Convolution> make_shuffled(const ConvolutionShape& shape, const float* weight, const float* bias, Precision precision) {
  return std::make_unique<Shuffled>(shape, weight, bias, precision);
}

}  // namespace vesal::kernels
