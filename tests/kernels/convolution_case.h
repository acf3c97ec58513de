// A convolution with all that may happen on the way, and the check of it against a plain one in double.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/activation_tools.h"
#include "kernels/convolution.h"
#include "kernels/pointwise.h"

namespace vesal::kernels::tests {

struct Case {
  ConvolutionShape shape;
  Plain weight, bias, in, scale, shift, residual;
  Pointwise before, function;
  bool has_residual = false, residual_after = false;
};

/// Inputs and what may happen on the way, drawn for a case that has its shape.
inline void fill(Case& c, std::mt19937& random) {
  const ConvolutionShape& s = c.shape;
  const auto pick = [&](std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); };
  if (pick(0, 1)) c.bias = random_numbers(random, s.out_channels);
  c.in = random_numbers(random, s.in_channels * voxels(s.in));
  if (pick(0, 1)) {
    c.scale = random_numbers(random, s.in_channels);
    c.shift = random_numbers(random, s.in_channels);
  }
  const auto function = [&](std::int64_t its_channels) {
    Pointwise f;
    f.function = static_cast<Function>(pick(0, 7));
    if (f.function == Function::leaky_relu || f.function == Function::elu) f.slope = {0.1f};
    if (f.function == Function::prelu) f.slope = random_numbers(random, pick(0, 1) ? its_channels : 1, 0.2f);
    return f;
  };
  c.before = function(s.in_channels);
  c.function = function(s.out_channels);
  c.has_residual = pick(0, 1);
  c.residual_after = pick(0, 1);
  if (c.has_residual) c.residual = random_numbers(random, s.out_channels * voxels(s.out));
}

inline float slope_of(const Pointwise& f, std::int64_t channel) {
  return f.slope.empty() ? 0 : f.slope[f.slope.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

/// conv + bias, in double.
inline std::vector<double> plain_sums(const Case& c) {
  const ConvolutionShape& s = c.shape;
  const std::int64_t n = voxels(s.in), m = voxels(s.out), taps = voxels(s.kernel), out_share = s.out_channels / s.groups,
                     in_share = s.in_channels / s.groups;
  std::vector<double> out(static_cast<std::size_t>(s.out_channels * m));
  for (std::int64_t o = 0; o < s.out_channels; ++o)
    for (std::int64_t v = 0; v < m; ++v) out[static_cast<std::size_t>(o * m + v)] = c.bias.empty() ? 0 : c.bias[static_cast<std::size_t>(o)];
  for (std::int64_t i = 0; i < s.in_channels; ++i) {
    for (std::int64_t from = 0; from < (s.transposed ? n : m); ++from) {
      const Extents& e = s.transposed ? s.in : s.out;
      const Extents& f = s.transposed ? s.out : s.in;
      const Extents at{from / (e[1] * e[2]), from / e[2] % e[1], from % e[2]};
      for (std::int64_t t = 0; t < taps; ++t) {
        const Extents k{t / (s.kernel[1] * s.kernel[2]), t / s.kernel[2] % s.kernel[1], t % s.kernel[2]};
        Extents to;
        bool inside = true;
        for (std::size_t a = 0; a < 3; ++a) {
          to[a] = at[a] * s.stride[a] + k[a] * s.dilation[a] - s.padding[a];
          inside &= to[a] >= 0 && to[a] < f[a];
        }
        if (!inside) continue;
        const std::int64_t there = (to[0] * f[1] + to[1]) * f[2] + to[2], iv = s.transposed ? from : there, ov = s.transposed ? there : from;
        float x = c.in[static_cast<std::size_t>(i * n + iv)];
        if (!c.scale.empty()) x = c.scale[static_cast<std::size_t>(i)] * x + c.shift[static_cast<std::size_t>(i)];
        x = pointwise(c.before.function, x, slope_of(c.before, i));
        const std::int64_t group = i / in_share;
        for (std::int64_t o = group * out_share; o < (group + 1) * out_share; ++o) {
          const std::int64_t row = s.transposed ? i * out_share + o % out_share : o * in_share + i % in_share;
          out[static_cast<std::size_t>(o * m + ov)] += static_cast<double>(c.weight[static_cast<std::size_t>(row * taps + t)]) * x;
        }
      }
    }
  }
  return out;
}

inline std::string described(const Case& c) {
  const ConvolutionShape& s = c.shape;
  std::string text = std::string(s.transposed ? "transposed " : "") + std::to_string(s.in_channels) + " -> " + std::to_string(s.out_channels);
  for (std::size_t a = 0; a < 3; ++a)
    text += " | " + std::to_string(s.in[a]) + " -> " + std::to_string(s.out[a]) + " k " + std::to_string(s.kernel[a]) + " s " +
            std::to_string(s.stride[a]) + " d " + std::to_string(s.dilation[a]) + " p " + std::to_string(s.padding[a]);
  return text;
}

inline Plain padded(const Plain& numbers, std::int64_t channels) {
  Plain out = numbers;
  out.resize(static_cast<std::size_t>(blocks(channels) * kBlock), 0.0f);
  return out;
}

/// The largest difference in units of what the rounding of so many products may be.
inline void expect_equal(const Case& c) {
  SCOPED_TRACE(described(c));
  const ConvolutionShape& s = c.shape;
  const auto convolution = Convolution::make(s, c.weight.data(), c.bias.empty() ? nullptr : c.bias.data());
  ASSERT_TRUE(convolution);
  Stored in(s.in_channels, s.in, 32), out(s.out_channels, s.out, 16, NAN), residual(s.out_channels, s.out);
  in.set(c.in);
  const Plain scale = padded(c.scale, s.in_channels), shift = padded(c.shift, s.in_channels);
  ConvolutionCall call;
  call.in = in.view;
  call.out = out.view;
  if (!c.scale.empty()) call.before.scale = scale.data(), call.before.shift = shift.data();
  call.before.after = c.before;
  call.function = c.function;
  call.residual_after = c.residual_after;
  if (c.has_residual) {
    residual.set(c.residual);
    call.residual = residual.view;
  }
  std::vector<double> statistics(static_cast<std::size_t>(2 * kBlock * blocks(s.out_channels)), NAN);
  call.statistics = statistics.data();
  convolution->run(call);

  const std::vector<double> sums = plain_sums(c);
  const Plain got = out.plain();
  const std::int64_t m = voxels(s.out);
  double worst = 0;
  for (std::int64_t o = 0; o < s.out_channels; ++o) {
    double sum = 0, square = 0;
    for (std::int64_t v = 0; v < m; ++v) {
      const auto at = static_cast<std::size_t>(o * m + v);
      float x = static_cast<float>(sums[at]);
      if (c.has_residual && !c.residual_after) x += c.residual[at];
      x = pointwise(c.function.function, x, slope_of(c.function, o));
      if (c.has_residual && c.residual_after) x += c.residual[at];
      sum += x;
      square += static_cast<double>(x) * x;
      const double difference = std::abs(got[at] - x) / (1 + std::abs(x));
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    }
    const std::int64_t half = kBlock * blocks(s.out_channels);
    EXPECT_NEAR(statistics[static_cast<std::size_t>(o)], sum, 1e-4 * (1 + std::sqrt(square * static_cast<double>(m))));
    EXPECT_NEAR(statistics[static_cast<std::size_t>(half + o)], square, 1e-4 * (1 + square));
  }
  EXPECT_LT(worst, 2e-5);
  EXPECT_EQ(out.beyond(), 0);
}

}  // namespace vesal::kernels::tests
