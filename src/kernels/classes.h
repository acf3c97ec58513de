// Loops over the class axis of blocks [classes, n]: argmax, softmax, sigmoid, one-hot. Class c starts at x + c * stride.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace vesal::kernels {

/// out[i] = the first class with the largest value; NaN counts as larger than any number, as torch.argmax has it.
template <class T, class Label>
void argmax(const T* x, std::int64_t classes, std::int64_t stride, std::int64_t n, Label* out) {
  constexpr std::int64_t kBlock = 1024;
  T best[kBlock];
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t m = std::min(kBlock, n - begin);
    const T* row = x + begin;
    Label* label = out + begin;
    std::copy(row, row + m, best);
    std::fill(label, label + m, Label{0});
    for (std::int64_t c = 1; c < classes; ++c) {
      row += stride;
      for (std::int64_t i = 0; i < m; ++i) {
        const bool larger = row[i] > best[i] || (row[i] != row[i] && best[i] == best[i]);
        best[i] = larger ? row[i] : best[i];
        label[i] = larger ? static_cast<Label>(c) : label[i];
      }
    }
  }
}

/// Softmax over the classes; out has the channel stride out_stride and may be x itself.
inline void softmax(const float* x, std::int64_t classes, std::int64_t stride, std::int64_t n, float* out, std::int64_t out_stride) {
  constexpr std::int64_t kBlock = 512;
  float top[kBlock], sum[kBlock];
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t m = std::min(kBlock, n - begin);
    const float* in = x + begin;
    float* to = out + begin;
    std::copy(in, in + m, top);
    for (std::int64_t c = 1; c < classes; ++c)
      for (std::int64_t i = 0; i < m; ++i) top[i] = std::max(top[i], in[c * stride + i]);
    std::fill(sum, sum + m, 0.0f);
    for (std::int64_t c = 0; c < classes; ++c)
      for (std::int64_t i = 0; i < m; ++i) {
        const float e = std::exp(in[c * stride + i] - top[i]);
        to[c * out_stride + i] = e;
        sum[i] += e;
      }
    for (std::int64_t c = 0; c < classes; ++c)
      for (std::int64_t i = 0; i < m; ++i) to[c * out_stride + i] /= sum[i];
  }
}

/// out[i] = 1 / (1 + exp(-x[i])); out may be x.
inline void sigmoid(const float* x, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = 1.0f / (1.0f + std::exp(-x[i]));
}

/// out[c * n + i] = labels[i] == c.
template <class Label, class T>
void one_hot(const Label* labels, std::int64_t n, std::int64_t classes, T* out) {
  for (std::int64_t c = 0; c < classes; ++c, out += n)
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(static_cast<std::int64_t>(labels[i]) == c);
}

}  // namespace vesal::kernels
