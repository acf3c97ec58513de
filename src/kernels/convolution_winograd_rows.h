// Winograd's minimal filtering along one axis: a convolution of 3 taps as sums of products of transformed inputs and weights.
#pragma once
#include <cstdint>
#include <vector>

namespace vesal::kernels {

/// F(m, 3): m neighbouring outputs from m + 2 inputs by m + 2 products instead of 3 m: y = output (weight g * input d), element by element between
/// the brackets. After Toom and Cook: polynomials are multiplied by their values at m + 1 points and at infinity.
struct WinogradForm {
  std::int64_t outputs = 0, products = 0;
  std::vector<double> input;   ///< [products][products]
  std::vector<double> weight;  ///< [products][3]
  std::vector<double> output;  ///< [outputs][products]
};
/// For 2 or 4 outputs. The points of four, 0, +-sqrt(1/2) and +-sqrt(2), lose least of those with few multiplications: `docs/performance.md`.
const WinogradForm& winograd_form(std::int64_t outputs);

/// A row of inputs [outputs * tiles + 2][16] into its transformed parts: product p of tile t at out + p * step + t * 16. Floats.
void winograd_inputs(std::int64_t outputs, const float* row, std::int64_t tiles, float* out, std::int64_t step);
/// Sums of products, laid out as those parts, to a row of outputs [outputs * tiles][16] with the bias [16] added.
void winograd_outputs(std::int64_t outputs, const float* sums, std::int64_t step, std::int64_t tiles, const float* bias, float* row);

}  // namespace vesal::kernels
