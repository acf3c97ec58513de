// Winograd's minimal filtering along z, direct over x and y: as many convolutions of one tap along z as there are products.
#include "kernels/convolution_winograd.h"

#include <algorithm>
#include <array>

#include "kernels/convolution_blocks.h"
#include "kernels/convolution_micro.h"
#include "kernels/convolution_tiles.h"
#include "kernels/convolution_weights.h"
#include "kernels/convolution_winograd_rows.h"

namespace vesal::kernels {
namespace {

constexpr std::int64_t kMostRows = 8;             ///< of a tile along x and along y: two more are copied
constexpr std::int64_t kWhole = 7;                ///< shorter extents are one tile, as in Tiling
constexpr std::int64_t kLongest = 12;             ///< of a tile along z, in what the form makes at once; a part of it costs more than the cache saves
constexpr std::int64_t kLocalFloats = 512 << 10;  ///< what the copies of all inputs may take before tiles get shorter along z after all
constexpr std::int64_t kSumsFloats = 16 << 10;    ///< what the sums of some planes may take

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The form with fewer products for n outputs; of 1, 2, 5 and 6 they are F(2, 3)'s, which for 5 and 6 has as many and was 1.1 times as fast.
const WinogradForm& form_for(std::int64_t n) {
  const WinogradForm &two = winograd_form(2), &four = winograd_form(4);
  return ceil_div(n, 2) * two.products <= ceil_div(n, 4) * four.products ? two : four;
}

/// Local copies are [block of inputs][plane][product][row][tile along z][16]. For one product the positions of a plane's rows lie in one long run,
/// in which the same tap is equally far from all of them, so that rows of any length fill the kernel's registers.
class Winograd : public BlockOutputs {
 public:
  Winograd(const ConvolutionShape& shape, const float* weight, const float* bias)
      : BlockOutputs(shape, bias), form_(form_for(shape.out[2])), parts_(blocks(shape.in_channels)) {
    const Extents n{shape.out[0], shape.out[1], ceil_div(shape.out[2], form_.outputs)};
    for (std::size_t a = 0; a < 2; ++a) {
      size_[a] = n[a] <= kWhole ? n[a] : equal_part(n[a], kMostRows);
      local_[a] = size_[a] + shape.kernel[a] - 1;
    }
    for (std::int64_t longest = kLongest; longest > 2; longest /= 2) {
      size_[2] = equal_part(n[2], longest);
      if (parts_ * local_[0] * local_[1] * form_.products * size_[2] * kBlock <= kLocalFloats) break;
    }
    for (std::size_t a = 0; a < 3; ++a) counts_[a] = ceil_div(n[a], size_[a]);
    units_ = n;
    row_ = size_[2] * kBlock;
    product_ = local_[1] * row_;
    plane_ = form_.products * product_;
    part_ = local_[0] * plane_;
    batch_ = std::min(size_[0], std::max<std::int64_t>(1, kSumsFloats / (form_.products * size_[1] * row_)));
    for (std::int64_t x = 0; x < shape.kernel[0]; ++x)
      for (std::int64_t y = 0; y < shape.kernel[1]; ++y) taps_.push_back(x * plane_ + y * row_);
    pack_weights(Weights(shape, weight));
    set_tiles(voxels(counts_));
  }

 private:
  std::int64_t sums_size() const { return form_.products * batch_ * size_[1] * row_ + kMicroSlack * kBlock; }
  std::int64_t row_size() const { return (form_.outputs * size_[2] + 2) * kBlock; }
  std::int64_t scratch_floats() const override { return parts_ * part_ + kMicroSlack * kBlock + sums_size() + row_size(); }
  float* sums_of(float* local) const { return local + parts_ * part_ + kMicroSlack * kBlock; }

  Tile tile_at(std::int64_t number) const {
    const Extents at{number / (counts_[1] * counts_[2]), number / counts_[2] % counts_[1], number % counts_[2]};
    Tile t;
    for (std::size_t a = 0; a < 3; ++a) {
      t.first[a] = at[a] * size_[a];
      t.size[a] = std::min(size_[a], units_[a] - t.first[a]);
    }
    return t;
  }

  /// [block of outputs][product][block of inputs][tap in x and y][input channel][16].
  void pack_weights(const Weights& w) {
    const auto taps = static_cast<std::int64_t>(taps_.size());
    weights_.reserve(static_cast<std::size_t>(out_blocks_ * form_.products * parts_ * taps * kBlock * kBlock));
    for (std::int64_t block = 0; block < out_blocks_; ++block)
      for (std::int64_t product = 0; product < form_.products; ++product)
        for (std::int64_t part = 0; part < parts_; ++part)
          for (std::int64_t tap = 0; tap < taps; ++tap)
            for (std::int64_t in = part * kBlock; in < (part + 1) * kBlock; ++in)
              for (std::int64_t out = block * kBlock; out < (block + 1) * kBlock; ++out) {
                double sum = 0;
                for (std::int64_t k = 0; k < 3 && in < shape_.in_channels && out < shape_.out_channels; ++k)
                  sum += form_.weight[static_cast<std::size_t>(product * 3 + k)] * static_cast<double>(w.at(out, in, tap * 3 + k));
                weights_.push_back(static_cast<float>(sum));
              }
  }

  void pack(std::int64_t number, const ConvolutionCall& call, float* local) const override {
    const Tile tile = tile_at(number);
    const Extents& in = shape_.in;
    float slopes[kBlock];
    float* beside = sums_of(local) + sums_size();
    PackRow row;
    row.count = in[2];
    row.first = tile.first[2] * form_.outputs - shape_.padding[2];
    row.length = tile.size[2] * form_.outputs + 2;
    row.function = call.before.after.function;
    row.slope = slopes;
    for (std::int64_t part = 0; part < parts_; ++part) {
      for (std::int64_t k = 0; k < kBlock; ++k) slopes[k] = slope_at(call.before.after, part * kBlock + k);
      row.scale = call.before.scale ? call.before.scale + part * kBlock : nullptr;
      row.shift = call.before.scale ? call.before.shift + part * kBlock : nullptr;
      for (std::int64_t i = 0; i < tile.size[0] + shape_.kernel[0] - 1; ++i) {
        for (std::int64_t j = 0; j < tile.size[1] + shape_.kernel[1] - 1; ++j) {
          const std::int64_t x = tile.first[0] + i - shape_.padding[0], y = tile.first[1] + j - shape_.padding[1];
          const bool inside = x >= 0 && x < in[0] && y >= 0 && y < in[1];
          row.in = inside ? call.in.data + part * call.in.pitch + (x * in[1] + y) * in[2] * kBlock : nullptr;
          float* to = local + part * part_ + i * plane_ + j * row_;
          pack_block_row(row, beside);
          winograd_inputs(form_.outputs, beside, tile.size[2], to, product_);
        }
      }
    }
  }

  void compute(std::int64_t number, std::int64_t block, const ConvolutionCall& call, float* local, const FinishRow& finish) const override {
    const Tile tile = tile_at(number);
    for (std::int64_t first = 0; first < tile.size[0]; first += batch_) {
      const std::int64_t planes = std::min(batch_, tile.size[0] - first);
      multiply(tile, block, first, planes, local);
      for (std::int64_t plane = 0; plane < planes; ++plane) finish_plane(tile, block, first, plane, call, local, finish);
    }
  }

  /// Sums of all products for some planes of a tile.
  void multiply(const Tile& tile, std::int64_t block, std::int64_t first, std::int64_t planes, float* local) const {
    static constexpr float kNoBias[kBlock] = {};
    const auto tap_count = static_cast<std::int64_t>(taps_.size());
    const std::int64_t run = (tile.size[1] - 1) * size_[2] + tile.size[2];
    const MicroTile kernel = micro_tile(kBlock, 1, run);
    MicroCall m;
    m.taps = taps_.data();
    m.tap_count = tap_count;
    m.parts = parts_;
    m.part_step = part_;
    m.bias = kNoBias;
    for (std::int64_t product = 0; product < form_.products; ++product) {
      m.weights = weights_.data() + (block * form_.products + product) * parts_ * tap_count * kBlock * kBlock;
      for (std::int64_t plane = 0; plane < planes; ++plane) {
        const float* from = local + (first + plane) * plane_ + product * product_;
        float* to = sums_of(local) + (product * batch_ + plane) * size_[1] * row_;
        for (std::int64_t at = 0; at < run; at += kernel.width) {
          m.local = from + at * kBlock;
          m.out = to + at * kBlock;
          kernel.run(m);
        }
      }
    }
  }

  void finish_plane(const Tile& tile, std::int64_t block, std::int64_t first, std::int64_t plane, const ConvolutionCall& call, float* local,
                    FinishRow finish) const {
    float* row = sums_of(local) + sums_size();
    const std::int64_t z = tile.first[2] * form_.outputs;
    finish.sums = row;
    finish.count = std::min(tile.size[2] * form_.outputs, shape_.out[2] - z);
    finish.out_step = kBlock;
    for (std::int64_t j = 0; j < tile.size[1]; ++j) {
      winograd_outputs(form_.outputs, sums_of(local) + (plane * size_[1] + j) * row_, batch_ * size_[1] * row_, tile.size[2],
                       bias_.data() + block * kBlock, row);
      const std::int64_t at = (((tile.first[0] + first + plane) * shape_.out[1] + tile.first[1] + j) * shape_.out[2] + z) * kBlock;
      finish.out = call.out.data + block * call.out.pitch + at;
      if (call.residual.data) finish.residual = call.residual.data + block * call.residual.pitch + at;
      finish_block_row(finish);
    }
  }

  const WinogradForm& form_;
  std::int64_t parts_;                                         ///< blocks of inputs
  Extents units_{1, 1, 1};                                     ///< outputs along x and y; along z as many as the form makes at once are one
  Extents size_{1, 1, 1}, counts_{1, 1, 1};                    ///< units of a tile, and how many tiles
  std::array<std::int64_t, 2> local_{1, 1};                    ///< planes and rows of a local copy
  std::int64_t row_ = 0, product_ = 0, plane_ = 0, part_ = 0;  ///< floats from one to the next in a local copy
  std::int64_t batch_ = 1;                                     ///< planes whose sums are kept at a time
  std::vector<std::int64_t> taps_;
};

}  // namespace

/// At extents along z from 1 to 50, measured with Zen 5's vectors, the direct convolution is never faster, but for those without taps along x and y
/// and few inputs: there, transforming costs more than multiplying (16 to 16 channels: 0.8 times as fast as direct, 32: 1.07, 64: 1.4).
bool winograd_pays(const ConvolutionShape& s) {
  const Extents ones{1, 1, 1};
  return !s.transposed && s.groups == 1 && s.stride == ones && s.dilation == ones && s.kernel[2] == 3 && s.in_channels > kMostPlanarChannels &&
         s.out_channels > kMostPlanarChannels && s.kernel[0] * s.kernel[1] * blocks(s.in_channels) > 2;
}

std::unique_ptr<Convolution> make_winograd(const ConvolutionShape& shape, const float* weight, const float* bias) {
  return std::make_unique<Winograd>(shape, weight, bias);
}

}  // namespace vesal::kernels
