#include "kernels/interpolate_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

namespace vesal::kernels {
namespace {

AxisTable table_of(std::int64_t in, std::int64_t out, int taps) {
  if (in < 1 || out < 0 || in > std::numeric_limits<std::int32_t>::max())
    throw Error(ErrorKind::shape, "cannot resize an axis of " + std::to_string(in) + " voxels to " + std::to_string(out));
  return {in, out, taps, std::vector<std::int32_t>(static_cast<std::size_t>(taps * out)), std::vector<float>(static_cast<std::size_t>(taps * out))};
}

void set(AxisTable& t, std::int64_t i, int tap, std::int64_t index, float weight) {
  t.index[tap * t.out + i] = static_cast<std::int32_t>(std::clamp<std::int64_t>(index, 0, t.in - 1));
  t.weight[tap * t.out + i] = weight;
}

/// Keys' cubic convolution, a = -0.75.
void cubic_weights(float t, float (&w)[4]) {
  constexpr float a = -0.75f;
  const auto near = [](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  w[0] = far(t + 1), w[1] = near(t), w[2] = near(1 - t), w[3] = far(2 - t);
}

double gaussian_weight(int x, double sigma, GaussianKernel kernel) {
  const double scale = 0.70710678 / sigma;
  switch (kernel) {
    case GaussianKernel::sampled: return std::exp(-0.5 / (sigma * sigma) * x * x) / (2.5066282 * sigma);
    case GaussianKernel::scalespace: return std::cyl_bessel_i(static_cast<double>(std::abs(x)), sigma * sigma) * std::exp(-sigma * sigma);
    case GaussianKernel::erf: break;
  }
  return std::max(0.0, 0.5 * (std::erf(scale * (x + 0.5)) - std::erf(scale * (x - 0.5))));
}

}  // namespace

AxisTable interpolate_table(std::int64_t in, std::int64_t out, ResizeMode mode, bool align_corners) {
  if (mode == ResizeMode::area) {
    const auto begin = [&](std::int64_t i) { return i * in / out; };
    const auto end = [&](std::int64_t i) { return ((i + 1) * in + out - 1) / out; };
    int taps = 1;
    for (std::int64_t i = 0; i < out; ++i) taps = std::max(taps, static_cast<int>(end(i) - begin(i)));
    AxisTable t = table_of(in, out, taps);
    for (std::int64_t i = 0; i < out; ++i) {
      const std::int64_t count = end(i) - begin(i);
      for (int k = 0; k < taps; ++k) set(t, i, k, begin(i) + std::min<std::int64_t>(k, count - 1), k < count ? 1.f / static_cast<float>(count) : 0.f);
    }
    return t;
  }
  const float ratio = static_cast<float>(in) / static_cast<float>(out);
  if (mode == ResizeMode::nearest || mode == ResizeMode::nearest_exact) {
    AxisTable t = table_of(in, out, 1);
    const float shift = mode == ResizeMode::nearest ? 0.f : 0.5f;
    for (std::int64_t i = 0; i < out; ++i) set(t, i, 0, static_cast<std::int64_t>(std::floor((static_cast<float>(i) + shift) * ratio)), 1);
    return t;
  }
  const float scale = !align_corners ? ratio : out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.f;
  AxisTable t = table_of(in, out, mode == ResizeMode::linear ? 2 : 4);
  for (std::int64_t i = 0; i < out; ++i) {
    float x = align_corners ? scale * static_cast<float>(i) : scale * (static_cast<float>(i) + 0.5f) - 0.5f;
    if (mode == ResizeMode::linear) {
      x = std::max(x, 0.f);
      const std::int64_t low = std::min(static_cast<std::int64_t>(x), in - 1);
      const float fraction = std::clamp(x - static_cast<float>(low), 0.f, 1.f);
      set(t, i, 0, low, 1 - fraction);
      set(t, i, 1, low + 1, fraction);
    } else {
      const float low = std::floor(x);
      float w[4];
      cubic_weights(std::clamp(x - low, 0.f, 1.f), w);
      for (int k = 0; k < 4; ++k) set(t, i, k, static_cast<std::int64_t>(low) - 1 + k, w[k]);
    }
  }
  return t;
}

AxisTable gaussian_table(std::int64_t size, double sigma, GaussianKernel kernel, double truncated) {
  if (!(sigma > 0)) return identity_table(size);
  const int tail = static_cast<int>(std::min(std::max(sigma * truncated, 0.5) + 0.5, static_cast<double>(size)));
  AxisTable t = table_of(size, size, 2 * tail + 1);
  for (int k = 0; k < t.taps; ++k) {
    const float weight = static_cast<float>(gaussian_weight(k - tail, sigma, kernel));
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t at = i + k - tail;
      set(t, i, k, at, at >= 0 && at < size ? weight : 0.f);
    }
  }
  return t;
}

}  // namespace vesal::kernels
